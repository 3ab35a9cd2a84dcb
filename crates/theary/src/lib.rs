//! Adapter for Theary: employment and education verifications.
