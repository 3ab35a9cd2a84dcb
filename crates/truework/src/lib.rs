//! Adapter for Truework: employment and income verifications in the US.
