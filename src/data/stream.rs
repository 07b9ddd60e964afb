//! stub
/// stub
#[derive(Default)]
pub struct Stream(usize);
impl Stream { /// s
 pub fn is_empty(&self) -> bool { self.0==0 } /// s
 pub fn encoding(&self) -> &'static str { "stub" } }
