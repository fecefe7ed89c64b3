//! End-to-end tests: tools in their sandboxes, the program as people type it, and the
//! repository's own properties.

mod sandbox;
mod std_tools;
mod tidy;
