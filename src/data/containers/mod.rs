//! The structures under the values: the only home of `unsafe`.
#![allow(unsafe_code)]
