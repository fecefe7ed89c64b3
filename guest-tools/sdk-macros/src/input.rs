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
        Item::Struct(item) if matches!(item.fields, Fields::Unnamed(_)) && !is_transparent(&item.attrs) => {
            let why = "an input has fields with names: `struct In { name: String }`; a type of one field may say \
                       `#[serde(transparent)]`";
            return Err(Error::new_spanned(&item.ident, why));
        }
        Item::Struct(item) => (&item.ident, &item.generics, fields_of(&item.fields)),
        Item::Enum(item) => {
            (&item.ident, &item.generics, item.variants.iter().flat_map(|variant| fields_of(&variant.fields)).collect())
        }
        _ => return Err(Error::new_spanned(item, "`#[input]` belongs on a struct or an enum")),
    };
    check_owned(generics, &fields)?;
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

/// An input owns what it has: it is read from a text that is gone when the tool runs.
fn check_owned(generics: &Generics, fields: &[&Field]) -> Result<()> {
    let why = "an input owns what it has: use `String` instead of `&str`, `Vec<T>` instead of `&[T]`, and no lifetimes";
    if let Some(lifetime) = generics.lifetimes().next() {
        return Err(Error::new_spanned(lifetime, why));
    }
    match fields.iter().find(|field| matches!(field.ty, syn::Type::Reference(_))) {
        Some(field) => Err(Error::new_spanned(&field.ty, why)),
        None => Ok(()),
    }
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

fn is_transparent(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|one| is_told_how(one) && one.meta.to_token_stream().to_string().contains("transparent"))
}

/// Whether a field may have a type that is not read or described by itself.
fn is_told_how(attribute: &Attribute) -> bool {
    attribute.path().is_ident("serde") || attribute.path().is_ident("schemars")
}

#[cfg(test)]
mod tests {
    use super::expand;
    use quote::quote;

    #[test]
    fn what_no_input_can_be_is_refused_with_what_to_write() {
        let refused = |item| expand(quote!(), item).map(drop).unwrap_err().to_string();
        assert!(
            refused(quote!(
                struct In {
                    path: &str,
                }
            ))
            .contains("use `String` instead of `&str`")
        );
        assert!(
            refused(quote!(
                struct In<'a> {
                    path: &'a str,
                }
            ))
            .contains("no lifetimes")
        );
        assert!(
            refused(quote!(
                struct In(String);
            ))
            .contains("fields with names")
        );
        assert!(
            refused(quote!(
                fn rd() {}
            ))
            .contains("belongs on a struct or an enum")
        );
        for taken in [
            quote!(
                struct In {
                    path: String,
                }
            ),
            quote!(
                #[serde(transparent)]
                struct Id(String);
            ),
            quote!(
                enum Mode {
                    Fast(u8),
                }
            ),
        ] {
            assert!(expand(quote!(), taken).is_ok());
        }
    }
}
