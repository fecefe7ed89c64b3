//! Stands in for cbindgen, as far as Extism's build script uses it, and writes no header.
//! None of this is in any program.

/// The language of a header.
#[derive(Debug)]
pub enum Language {
    /// C.
    C,
}

/// How a header declares its types.
#[derive(Debug)]
pub enum Style {
    /// With `typedef`.
    Type,
}

/// Says that there is no header.
#[derive(Debug)]
pub struct NoHeader;

/// A header, of which there is none.
#[derive(Debug)]
pub enum Bindings {}

impl Bindings {
    /// Never called.
    pub fn write_to_file(&self, _: &str) -> bool {
        match *self {}
    }
}

/// Takes every setting and heeds none.
#[derive(Debug, Default)]
pub struct Builder;

macro_rules! settings {
    ($($name:ident($($kind:ty),*);)*) => {
        impl Builder {
            $(
                /// Heeds nothing.
                #[must_use]
                pub fn $name(self, $(_: $kind),*) -> Self {
                    self
                }
            )*
        }
    };
}

settings! {
    with_crate(&str);
    with_language(Language);
    with_no_includes();
    with_sys_include(&str);
    with_pragma_once(bool);
    with_cpp_compat(bool);
    with_after_include(&str);
    rename_item(&str, &str);
    with_style(Style);
}

impl Builder {
    /// Returns a builder.
    #[must_use]
    pub fn new() -> Self {
        Self
    }

    /// Writes nothing.
    ///
    /// # Errors
    ///
    /// Always.
    pub fn generate(self) -> Result<Bindings, NoHeader> {
        Err(NoHeader)
    }
}
