//! stub
/// stub
#[derive(Default)]
#[allow(missing_docs)]
pub struct Limits { pub seed: u64 }
