//! Simulators of the three vendors, with fault injection and books.
