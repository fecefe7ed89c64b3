//! Programs that embed Handbox; see the examples of this package.
