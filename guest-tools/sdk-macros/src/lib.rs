//! The attribute macros of `handbox-tool`. Use them through that crate, which documents them.

mod args;
mod input;
mod marked;
mod tool;

use proc_macro::TokenStream;
use syn::parse_macro_input;

/// Makes a function a tool. Documented at `handbox_tool::tool`.
#[proc_macro_attribute]
pub fn tool(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let args = parse_macro_input!(attribute with args::Args::parse);
    let function = parse_macro_input!(item as syn::ItemFn);
    tool::expand(&args, &function).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Makes a type the input of a tool. Documented at `handbox_tool::input`.
#[proc_macro_attribute]
pub fn input(attribute: TokenStream, item: TokenStream) -> TokenStream {
    input::expand(attribute.into(), item.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// The entry of the type that `#[tool]` put beside a function. Used by `export!` alone.
#[doc(hidden)]
#[proc_macro]
pub fn marked(function: TokenStream) -> TokenStream {
    marked::expand(function.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}
