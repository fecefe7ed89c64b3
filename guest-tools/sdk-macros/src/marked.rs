//! How `export!` finds what `#[tool]` made, so that the compiler's own words for a function
//! without the attribute name the attribute: "expected type, found function
//! `tool_attribute_missing_above_greet`".

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::ext::IdentExt;
use syn::{Error, Result, Type};

/// Turns the path of a function, `module::greet`, into the entry of the type beside it, which has the same name. A name in
/// camel case is a type that implements `Tool` by hand.
///
/// The import takes the function along with the type, and the function alone if there is no type. It has a block of its own,
/// where no other tool is, so that the compiler does not propose one.
pub(crate) fn expand(function: TokenStream) -> Result<TokenStream> {
    let mut function: Type = syn::parse2(function)?;
    // What a `macro_rules!` hands on stands in a group without delimiters.
    while let Type::Group(group) = function {
        function = *group.elem;
    }
    let path = match &function {
        Type::Path(path) if path.qself.is_none() => &path.path,
        other => {
            return Err(Error::new_spanned(
                other,
                "`export!` takes the names of functions with `#[handbox_tool::tool]`",
            ));
        }
    };
    let entry = quote!(::handbox_tool::__private::Entry::of);
    match path.segments.last() {
        Some(last) if !last.ident.to_string().starts_with(char::is_uppercase) => {
            let marked = format_ident!("tool_attribute_missing_above_{}", last.ident.unraw(), span = last.ident.span());
            Ok(quote!({
                use #path as #marked;
                // Were it an argument of the function, it could as well be meant for a constant.
                type Tool = #marked;
                let _ = #path;
                #entry::<Tool>()
            }))
        }
        _ => Ok(quote!(#entry::<#path>())),
    }
}

#[cfg(test)]
mod tests {
    use super::expand;
    use quote::quote;

    #[test]
    fn the_type_lies_where_the_function_does() {
        let found = |path| expand(path).unwrap().to_string();
        let imports = |path, import: &str| assert!(found(path).contains(import), "{import}");
        imports(quote!(greet), "use greet as tool_attribute_missing_above_greet ;");
        imports(quote!(inner::r#type), "use inner :: r#type as tool_attribute_missing_above_type ;");
        assert!(found(quote!(inner::Greet)).ends_with("of :: < inner :: Greet > ()"));
        let refused = expand(quote!(&greet)).unwrap_err().to_string();
        assert!(refused.contains("names of functions with `#[handbox_tool::tool]`"), "{refused}");
    }
}
