//! One module for each kind of generated file.

pub mod compatibility;
pub mod differences;
pub mod typescript;
