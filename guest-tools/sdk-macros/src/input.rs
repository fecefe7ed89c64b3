//! `#[input]`: the derives of a tool's input, without the tool's crate naming serde or
//! schemars.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Error, Item, Result};

/// Adds the derives and says where their crates are.
pub(crate) fn expand(attribute: TokenStream, item: TokenStream) -> Result<TokenStream> {
    if !attribute.is_empty() {
        return Err(Error::new_spanned(
            attribute,
            "`#[input]` takes no arguments; use `#[serde(…)]` and `#[schemars(…)]`",
        ));
    }
    let item: Item = syn::parse2(item)?;
    // A tool's input is an object; an enum may still be the type of one of its fields.
    if !matches!(item, Item::Struct(_) | Item::Enum(_)) {
        return Err(Error::new_spanned(item, "`#[input]` belongs on a struct or an enum"));
    }
    Ok(quote! {
        #[derive(::handbox_tool::serde::Deserialize, ::handbox_tool::schemars::JsonSchema)]
        #[serde(crate = "::handbox_tool::serde")]
        #[schemars(crate = "::handbox_tool::schemars")]
        #item
    })
}
