//! `#[tool]`: the function stays as it is, and beside it stands a type of the same name
//! that implements `handbox_tool::Tool`. Types and functions have namespaces of their
//! own, so that tests can say `greet::NAME` and call `greet(…)`.

use crate::args::{Args, Recovery};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::ext::IdentExt;
use syn::{Attribute, Error, Expr, ExprLit, FnArg, ItemFn, Lit, Meta, Result, ReturnType, Type};

/// Expands one tool.
pub(crate) fn expand(args: &Args, function: &ItemFn) -> Result<TokenStream> {
    check_signature(function)?;
    let ident = &function.sig.ident;
    let visibility = &function.vis;
    let name = match &args.name {
        Some(name) => name.value(),
        None => ident.unraw().to_string(),
    };
    check_name(&name).map_err(|why| match &args.name {
        Some(literal) => Error::new(literal.span(), why),
        None => Error::new(ident.span(), why),
    })?;
    let description = description(function)?;
    let hints = hints(args);
    let (recovery, reconcile) = recovery(args);
    let (schema, run) = body(function);
    let output_schema = args.output.as_ref().map(|output| {
        quote! {
            fn output_schema() -> ::core::option::Option<::std::string::String> {
                ::core::option::Option::Some(::handbox_tool::__private::schema_of::<#output>())
            }
        }
    });
    Ok(quote! {
        #function

        #[doc(hidden)]
        #[allow(non_camel_case_types, reason = "found under the function's own name")]
        #visibility struct #ident {}

        impl ::handbox_tool::Tool for #ident {
            const NAME: &'static str = #name;
            const DESCRIPTION: &'static str = #description;
            const HINTS: ::handbox_tool::Hints = #hints;
            const RECOVERY: ::handbox_tool::Recovery = #recovery;
            fn input_schema() -> ::std::string::String { #schema }
            #output_schema
            fn run(call: &::handbox_tool::Call)
                -> ::core::result::Result<::handbox_tool::Output, ::handbox_tool::Fault> { #run }
            #reconcile
        }
    })
}

fn check_signature(function: &ItemFn) -> Result<()> {
    let signature = &function.sig;
    if let Some(word) = &signature.asyncness {
        return Err(Error::new_spanned(word, "a tool is not async: a hand runs one call at a time"));
    }
    if !signature.generics.params.is_empty() {
        return Err(Error::new_spanned(&signature.generics, "a tool has no generics: its input needs one schema"));
    }
    if let Some(FnArg::Receiver(receiver)) = signature.inputs.first() {
        return Err(Error::new_spanned(receiver, "a tool is a free function"));
    }
    let mut types = signature.inputs.iter().filter_map(|argument| match argument {
        FnArg::Typed(typed) => Some(typed.ty.as_ref()),
        FnArg::Receiver(_) => None,
    });
    match types.next() {
        Some(input) if is_borrowed_struct(input) => return Err(Error::new_spanned(input, BY_VALUE)),
        Some(input) if is_plain(input) => return Err(Error::new_spanned(input, ONE_STRUCT)),
        _ => {}
    }
    match &signature.output {
        ReturnType::Default => return Err(Error::new_spanned(&signature.ident, A_RESULT)),
        ReturnType::Type(_, ty) if is_plain(ty) => return Err(Error::new_spanned(ty, A_RESULT)),
        ReturnType::Type(..) => {}
    }
    match types.find(|ty| !matches!(ty, Type::Reference(_))) {
        Some(more) => Err(Error::new_spanned(more, ONE_STRUCT)),
        None if signature.inputs.len() > 2 => {
            Err(Error::new_spanned(&signature.inputs, "a tool takes its input and, if it likes, a `&Call`"))
        }
        None => Ok(()),
    }
}

const ONE_STRUCT: &str = "a tool takes one struct with `#[handbox_tool::input]` above it, whose fields are its inputs: \
                          make this a field of it (behind that struct may come a `&Call`)";

const BY_VALUE: &str = "a tool owns its input: take it by value, without the `&`";

const A_RESULT: &str = "a tool returns `Result<String, handbox_tool::Fault>`, or what its guide names instead";

/// Whether a type is `&Greet`: the right struct, but borrowed. A `&Call` comes second.
fn is_borrowed_struct(ty: &Type) -> bool {
    let Type::Reference(reference) = ty else { return false };
    let Type::Path(path) = reference.elem.as_ref() else { return false };
    !is_plain(&reference.elem)
        && path.path.segments.last().is_some_and(|last| last.ident != "str" && last.ident != "Call")
}

/// Whether a type is certainly neither an object nor a result, so that it is the compiler who says so, at the place.
fn is_plain(ty: &Type) -> bool {
    let others = ["String", "bool", "char", "f32", "f64", "usize", "isize", "Vec", "Option", "PathBuf"];
    let is_integer = |name: &str| name.starts_with(['u', 'i']) && name[1..].parse::<u8>().is_ok();
    match ty {
        Type::Reference(_) | Type::Tuple(_) | Type::Array(_) | Type::Slice(_) => true,
        Type::Path(path) => path.path.segments.last().is_some_and(|last| {
            let name = last.ident.to_string();
            others.contains(&name.as_str()) || is_integer(&name)
        }),
        _ => false,
    }
}

/// Says what is wrong with a name, in the words of the contract.
fn check_name(name: &str) -> std::result::Result<(), String> {
    let characters = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if characters && (1..=64).contains(&name.len()) {
        return Ok(());
    }
    Err(format!("`{name}` cannot be a tool's name: 1 to 64 of A-Z a-z 0-9 _ -; choose one with `name = \"…\"`"))
}

/// Joins the doc comment as rustdoc would read it.
fn description(function: &ItemFn) -> Result<String> {
    let lines: Vec<String> = function.attrs.iter().filter_map(doc_line).collect();
    let text = lines.join("\n").trim().to_owned();
    if text.is_empty() {
        let why = "a tool needs a doc comment: it is all that the model knows about it";
        return Err(Error::new_spanned(&function.sig.ident, why));
    }
    if text.len() > 16 * 1024 {
        return Err(Error::new_spanned(&function.sig.ident, "a tool's description has at most 16 KiB"));
    }
    Ok(text)
}

fn doc_line(attribute: &Attribute) -> Option<String> {
    let Meta::NameValue(pair) = &attribute.meta else { return None };
    let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = &pair.value else { return None };
    let line = text.value();
    pair.path.is_ident("doc").then(|| line.strip_prefix(' ').unwrap_or(&line).to_owned())
}

fn hints(args: &Args) -> TokenStream {
    let Args { read_only, idempotent, destructive, open_world, .. } = args;
    quote! {
        ::handbox_tool::Hints {
            read_only: #read_only,
            idempotent: #idempotent,
            destructive: #destructive,
            open_world: #open_world,
        }
    }
}

fn recovery(args: &Args) -> (TokenStream, TokenStream) {
    let (word, function) = match args.recovery() {
        Recovery::Retry => ("Retry", None),
        Recovery::Ask => ("Ask", None),
        Recovery::Reconcile(path) => ("Reconcile", Some(path)),
    };
    let variant = format_ident!("{word}");
    let reconcile = function.map(|path| {
        quote! {
            fn reconcile(call: &::handbox_tool::Call) -> ::handbox_tool::Outcome {
                let function: fn(&::handbox_tool::Call) -> ::handbox_tool::Outcome = #path;
                function(call)
            }
        }
    });
    (quote!(::handbox_tool::Recovery::#variant), quote!(#reconcile))
}

/// The schema of the input, and the call of the function.
fn body(function: &ItemFn) -> (TokenStream, TokenStream) {
    let ident = &function.sig.ident;
    let mut inputs = function.sig.inputs.iter();
    let input = match inputs.next() {
        Some(FnArg::Typed(argument)) => &argument.ty,
        Some(FnArg::Receiver(_)) | None => {
            let schema = quote!(::handbox_tool::__private::schema_of::<::handbox_tool::__private::NoInput>());
            return (schema, quote!(let _ = call; ::handbox_tool::__private::finish(#ident())));
        }
    };
    let call = inputs.next().map(|_| quote!(, call));
    let schema = quote!(::handbox_tool::__private::schema_of_input::<#input>());
    let run = quote! {
        let input: #input = ::handbox_tool::__private::parse_input(call)?;
        ::handbox_tool::__private::finish(#ident(input #call))
    };
    (schema, run)
}

#[cfg(test)]
mod tests {
    use super::{A_RESULT, BY_VALUE, ONE_STRUCT, expand};
    use crate::args::Args;
    use syn::{ItemFn, parse_quote};

    #[test]
    fn a_signature_that_no_call_could_fill_is_refused_with_what_to_write() {
        let refused = |function: ItemFn| expand(&Args::default(), &function).map(drop).unwrap_err().to_string();
        assert_eq!(
            refused(parse_quote!(
                #[doc = "Greets."]
                fn greet(name: String) -> Result<String, Fault> {}
            )),
            ONE_STRUCT
        );
        assert_eq!(
            refused(parse_quote!(
                #[doc = "Greets."]
                fn greet(call: &Call) -> Result<String, Fault> {}
            )),
            ONE_STRUCT
        );
        assert_eq!(
            refused(parse_quote!(
                #[doc = "Greets."]
                fn greet(name: &str) -> Result<String, Fault> {}
            )),
            ONE_STRUCT
        );
        assert_eq!(
            refused(parse_quote!(
                #[doc = "Greets."]
                fn greet(input: &inputs::Greet) -> Result<String, Fault> {}
            )),
            BY_VALUE
        );
        assert_eq!(
            refused(parse_quote!(
                #[doc = "Greets."]
                fn greet(input: Greet, times: u32) -> Result<String, Fault> {}
            )),
            ONE_STRUCT
        );
        assert_eq!(
            refused(parse_quote!(
                #[doc = "Greets."]
                fn greet(input: Greet) -> String {}
            )),
            A_RESULT
        );
        assert_eq!(
            refused(parse_quote!(
                #[doc = "Greets."]
                fn greet(input: Greet) {}
            )),
            A_RESULT
        );
    }

    #[test]
    fn the_signatures_of_the_guide_are_taken() {
        let taken = |function: ItemFn| expand(&Args::default(), &function).is_ok();
        assert!(taken(parse_quote!(
            #[doc = "Greets."]
            fn greet() -> std::io::Result<()> {}
        )));
        assert!(taken(parse_quote!(
            #[doc = "Greets."]
            fn greet(input: inputs::Greet, call: &Call) -> Answer {}
        )));
    }
}
