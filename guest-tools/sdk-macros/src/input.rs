//! `#[input]`: the derives of a tool's input, without the tool's crate naming serde or
//! schemars.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, Error, Field, Fields, Generics, Ident, Item, Result};

/// Adds the derives, says where their crates are, and marks the type as an input.
pub(crate) fn expand(attribute: TokenStream, item: TokenStream) -> Result<TokenStream> {
    if !attribute.is_empty() {
        return Err(Error::new_spanned(
            attribute,
            "`#[input]` takes no arguments; use `#[serde(…)]` and `#[schemars(…)]`",
        ));
    }
    let item: Item = syn::parse2(item)?;
    // A tool's input is an object; an enum may still be the type of one of its fields.
    let (ident, generics, fields) = match &item {
        Item::Struct(item) => (&item.ident, &item.generics, fields_of(&item.fields)),
        Item::Enum(item) => {
            (&item.ident, &item.generics, item.variants.iter().flat_map(|variant| fields_of(&variant.fields)).collect())
        }
        _ => return Err(Error::new_spanned(item, "`#[input]` belongs on a struct or an enum")),
    };
    let marked = mark(ident, generics);
    let checked = check_fields(generics, &fields);
    Ok(quote! {
        #[derive(::handbox_tool::serde::Deserialize, ::handbox_tool::schemars::JsonSchema)]
        #[serde(crate = "::handbox_tool::serde")]
        #[schemars(crate = "::handbox_tool::schemars")]
        #item
        #marked
        #checked
    })
}

fn fields_of(fields: &Fields) -> Vec<&Field> {
    fields.iter().collect()
}

fn mark(ident: &Ident, generics: &Generics) -> TokenStream {
    let (parameters, arguments, bounds) = generics.split_for_impl();
    if generics.params.is_empty() {
        return quote!(impl ::handbox_tool::Input for #ident {});
    }
    let bounds = bounds.map(|bounds| bounds.predicates.to_token_stream());
    quote! {
        impl #parameters ::handbox_tool::Input for #ident #arguments
        where
            Self: ::handbox_tool::serde::de::DeserializeOwned + ::handbox_tool::schemars::JsonSchema,
            #bounds
        {}
    }
}

/// Asks of each field's type what the derives will ask, in words that name the attribute: the derives'
/// own errors name serde and schemars, which a tool's author never wrote.
fn check_fields(generics: &Generics, fields: &[&Field]) -> Option<TokenStream> {
    if !generics.params.is_empty() {
        return None;
    }
    let fields = fields.iter().filter(|field| !field.attrs.iter().any(is_told_how)).map(|field| {
        let ty = &field.ty;
        quote_spanned!(ty.span()=> ::handbox_tool::__private::Field::<#ty>::has_input_attribute_above_its_type();)
    });
    Some(quote! {
        const _: fn() = || { #(#fields)* };
    })
}

/// Whether a field may have a type that is not read or described by itself.
fn is_told_how(attribute: &Attribute) -> bool {
    attribute.path().is_ident("serde") || attribute.path().is_ident("schemars")
}
