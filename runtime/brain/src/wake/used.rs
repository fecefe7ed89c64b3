//! What a request used, and what that costs.

use super::desk::Desk;
use super::preview::Heard;
use crate::model::{ModelError, ModelErrorKind, ModelRequest, Reply};
use crate::runs::Price;
use handbox_session::fold::{Money, Tokens};

/// How many bytes of a request or a reply are taken for a token, where nobody counted: less than there are, so that what
/// is reserved is rather too much.
const BYTES_PER_TOKEN: u64 = 3;

/// A request that is about to be made.
pub(super) struct Request {
    pub(super) request: ModelRequest,
    bytes: u64,
}

impl Request {
    pub(super) fn new(request: ModelRequest) -> Self {
        let bytes = serde_json::to_string(&request).map_or(0, |text| text.len() as u64);
        Self { request, bytes }
    }

    /// The most that it may use.
    pub(super) fn most(&self) -> Tokens {
        Tokens { output_tokens: self.request.max_tokens, ..self.read() }
    }

    fn read(&self) -> Tokens {
        Tokens { input_tokens: self.bytes / BYTES_PER_TOKEN, ..Tokens::default() }
    }
}

/// What a request used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Used {
    pub(super) tokens: Tokens,
    pub(super) cost: Money,
    /// Whether something of it was not counted by the provider.
    pub(super) estimated: bool,
}

impl Used {
    /// What was counted, and for a side of which nothing was what it had at least, at the dearest price.
    fn of(price: Price, request: &Request, counted: Tokens, written: u64) -> Self {
        let mut tokens = Tokens { output_tokens: counted.output_tokens.max(written), ..counted };
        let uncounted = counted.total() == counted.output_tokens;
        tokens.input_tokens = if uncounted { request.read().input_tokens } else { tokens.input_tokens };
        let price = if uncounted { price.dearest() } else { price };
        Self { tokens, cost: price.cost(tokens), estimated: tokens != counted }
    }
}

impl Desk<'_> {
    fn price(&self) -> Price {
        self.runs.prices.of(&self.runs.agent.model.id)
    }

    /// What a request may use and cost at most.
    pub(super) fn reserved(&self, request: &Request) -> (Tokens, Money) {
        let most = request.most();
        (most, self.price().dearest().cost(most))
    }

    /// What a whole reply used: what its provider counted, which many endpoints do not do.
    pub(super) fn used(&self, request: &Request, reply: &Reply) -> Used {
        let counted = reply.usage.unwrap_or_default();
        let bytes = (reply.content.len() as u64).saturating_sub(2);
        let written = if counted.output_tokens == 0 { bytes.div_ceil(BYTES_PER_TOKEN) } else { 0 };
        Used::of(self.price(), request, counted, written)
    }

    /// What a request used that was cut off. What its provider counted at the beginning is all that was read, and next to
    /// nothing of what was written; so that counts by what came.
    pub(super) fn used_cut_off(&self, request: &Request, heard: Heard) -> Used {
        let counted = heard.counted.unwrap_or_default();
        Used::of(self.price(), request, counted, heard.bytes.div_ceil(BYTES_PER_TOKEN))
    }

    /// What a request used that failed.
    pub(super) fn used_failing(&self, request: &Request, error: &ModelError, heard: Heard) -> Used {
        let counted = error.usage.or(heard.counted).filter(|counted| counted.total() > 0);
        let nothing = counted.is_none() && heard.blocks == 0 && heard.bytes == 0;
        // One that says so was never sent; and a provider that turns a request away does not charge for it.
        if nothing && (error.usage.is_some() || error.kind != ModelErrorKind::Cut) {
            return Used::default();
        }
        self.used_cut_off(request, Heard { counted, ..heard })
    }
}
