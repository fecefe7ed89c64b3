//! How `export!` finds what `#[tool]` made, so that the compiler's own words for a function
//! without the attribute name the attribute: "cannot find type `tool_attribute_above_greet`".

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident};
use syn::ext::IdentExt;
use syn::{Error, Result, Type};

/// The name of the type that stands beside the function of a tool.
pub(crate) fn name_of(function: &Ident) -> Ident {
    format_ident!("tool_attribute_above_{}", function.unraw())
}

/// Turns the path of a function, `module::greet`, into the path of the type beside it. A name in
/// camel case is a type that implements `Tool` by hand, and stays.
pub(crate) fn expand(function: TokenStream) -> Result<TokenStream> {
    let mut function: Type = syn::parse2(function)?;
    // What a `macro_rules!` hands on stands in a group without delimiters.
    while let Type::Group(group) = function {
        function = *group.elem;
    }
    let path = match &mut function {
        Type::Path(path) if path.qself.is_none() => &mut path.path,
        other => {
            return Err(Error::new_spanned(
                other,
                "`export!` takes the names of functions with `#[handbox_tool::tool]`",
            ));
        }
    };
    if let Some(last) = path.segments.last_mut()
        && !last.ident.to_string().starts_with(char::is_uppercase)
    {
        last.ident = name_of(&last.ident);
    }
    Ok(path.to_token_stream())
}

#[cfg(test)]
mod tests {
    use super::expand;
    use quote::quote;

    #[test]
    fn the_type_lies_where_the_function_does() {
        let found = |path| expand(path).unwrap().to_string();
        assert_eq!(found(quote!(greet)), "tool_attribute_above_greet");
        assert_eq!(found(quote!(inner::r#type)), "inner :: tool_attribute_above_type");
        assert_eq!(found(quote!(inner::Greet)), "inner :: Greet");
        let refused = expand(quote!(&greet)).unwrap_err().to_string();
        assert!(refused.contains("names of functions with `#[handbox_tool::tool]`"), "{refused}");
    }
}
