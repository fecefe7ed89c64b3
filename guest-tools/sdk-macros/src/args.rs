//! What stands in the brackets of `#[tool(…)]`.

use syn::meta::ParseNestedMeta;
use syn::parse::{ParseStream, Parser};
use syn::{Error, Ident, LitStr, Path, Result, Token, Type};

/// How a tool wants to be treated after a crash.
#[derive(Clone)]
pub(crate) enum Recovery {
    Retry,
    Ask,
    Reconcile(Path),
}

/// The parsed arguments.
#[derive(Default)]
pub(crate) struct Args {
    pub(crate) name: Option<LitStr>,
    pub(crate) read_only: bool,
    pub(crate) idempotent: bool,
    pub(crate) destructive: bool,
    pub(crate) open_world: bool,
    pub(crate) output: Option<Type>,
    recovery: Option<(Ident, Word)>,
    reconcile: Option<Path>,
}

/// What may follow `recovery =`.
#[derive(Clone, Copy, PartialEq)]
enum Word {
    Retry,
    Ask,
    Reconcile,
}

impl Args {
    /// Parses the whole list and refuses what contradicts itself.
    pub(crate) fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut args = Self::default();
        let parser = syn::meta::parser(|meta| args.take(&meta));
        parser.parse2(input.parse()?)?;
        args.check()?;
        Ok(args)
    }

    fn take(&mut self, meta: &ParseNestedMeta<'_>) -> Result<()> {
        let key = meta.path.require_ident()?.to_string();
        match key.as_str() {
            "read_only" => self.read_only = true,
            "idempotent" => self.idempotent = true,
            "destructive" => self.destructive = true,
            "open_world" => self.open_world = true,
            "name" => self.name = Some(meta.value()?.parse()?),
            "output" => self.output = Some(meta.value()?.parse()?),
            "reconcile" => self.reconcile = Some(reconcile_path(meta)?),
            "recovery" => self.recovery = Some(recovery_word(meta)?),
            _ => {
                let known = "read_only, idempotent, destructive, open_world, recovery = retry|ask, \
                             reconcile = path::to::function, name = \"…\", output = Type";
                return Err(meta.error(format!("unknown argument `{key}`; a tool takes {known}")));
            }
        }
        Ok(())
    }

    fn check(&self) -> Result<()> {
        if let Some((word, Word::Reconcile)) = &self.recovery
            && self.reconcile.is_none()
        {
            return Err(Error::new(word.span(), NO_FUNCTION));
        }
        if let (Some((word, Word::Retry | Word::Ask)), Some(_)) = (&self.recovery, &self.reconcile) {
            return Err(Error::new(word.span(), "a tool with `reconcile = …` recovers that way; leave `recovery` out"));
        }
        if self.read_only && self.destructive {
            let span = proc_macro2::Span::call_site();
            return Err(Error::new(span, "a tool that only reads destroys nothing: `read_only` or `destructive`"));
        }
        Ok(())
    }

    /// The declared recovery, or what the hints allow: `retry` if a second run is
    /// harmless, else `ask`.
    pub(crate) fn recovery(&self) -> Recovery {
        match (&self.reconcile, &self.recovery) {
            (Some(path), _) => Recovery::Reconcile(path.clone()),
            (None, Some((_, Word::Retry))) => Recovery::Retry,
            (None, Some(_)) => Recovery::Ask,
            (None, None) if self.read_only => Recovery::Retry,
            (None, None) => Recovery::Ask,
        }
    }
}

const NO_FUNCTION: &str = "a tool that reconciles names the function that does it: \
                           `reconcile = path::to::function`, a `fn(&Call) -> Outcome`";

fn reconcile_path(meta: &ParseNestedMeta<'_>) -> Result<Path> {
    if meta.input.peek(Token![=]) { meta.value()?.parse() } else { Err(meta.error(NO_FUNCTION)) }
}

fn recovery_word(meta: &ParseNestedMeta<'_>) -> Result<(Ident, Word)> {
    let word: Ident = meta.value()?.parse()?;
    let known = match word.to_string().as_str() {
        "retry" => Word::Retry,
        "ask" => Word::Ask,
        "reconcile" => Word::Reconcile,
        _ => return Err(Error::new(word.span(), "recovery is `retry` or `ask`; or write `reconcile = function`")),
    };
    Ok((word, known))
}
