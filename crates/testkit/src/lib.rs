//! Development only: tests of the workspace as a whole, such as the layering of its crates.
