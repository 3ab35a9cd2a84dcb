//! Adapter for Truora: background checks in Latin America.
