//! Takes credentials out of what a tool says.
//!
//! They were taken out of what came back from servers already. But what came in pieces, compressed or between the tags of a
//! page is a credential only once the tool has put it together.

use crate::network::{Line, Network};
use handbox_hand::{Call, HandError, LogLevel, Outcome, Output, Stream, ToolFault, Usage, Watcher};
use serde_json::Value;
use std::sync::Arc;

/// What one call says, without the credentials of its hand.
pub(crate) struct Scrub(Line);

impl Scrub {
    /// For a component by its place in its bundle. Without a network there is nothing to take out.
    pub(crate) fn new(network: Option<&Network>, component: usize) -> Self {
        Self(network.map(|network| (Arc::clone(&network.http), network.principal(component))))
    }

    /// The call, of which whoever watches it hears nothing else.
    pub(crate) fn watched(&self, call: Call) -> Call {
        let heard = Heard { scrub: Self(self.0.clone()), watcher: Arc::clone(&call.watcher) };
        if self.0.is_some() { Call { watcher: Arc::new(heard), ..call } } else { call }
    }

    pub(crate) fn result(&self, result: Result<Output, HandError>) -> Result<Output, HandError> {
        match result {
            Ok(output) => Ok(self.output(output)),
            Err(HandError::Tool(fault)) => Err(HandError::Tool(self.fault(fault))),
            Err(HandError::Broken(text)) => Err(HandError::Broken(self.text(text))),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn outcome(&self, outcome: Outcome) -> Outcome {
        match outcome {
            Outcome::Committed(output) => Outcome::Committed(self.output(output)),
            Outcome::Failed(text) => Outcome::Failed(self.text(text)),
            Outcome::NotStarted | Outcome::Unknown => outcome,
        }
    }

    /// Parts of all types: a model may be shown any of them.
    fn output(&self, mut output: Output) -> Output {
        for part in &mut output.parts {
            part.data = self.bytes(std::mem::take(&mut part.data));
            part.media_type = self.text(std::mem::take(&mut part.media_type));
        }
        output.fields.values_mut().for_each(|field| self.field(field));
        output
    }

    fn field(&self, field: &mut Value) {
        match field {
            Value::String(text) => *text = self.text(std::mem::take(text)),
            Value::Array(fields) => fields.iter_mut().for_each(|field| self.field(field)),
            Value::Object(fields) => fields.values_mut().for_each(|field| self.field(field)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn fault(&self, fault: ToolFault) -> ToolFault {
        match fault {
            ToolFault::UnknownTool(name) => ToolFault::UnknownTool(name),
            ToolFault::InvalidInput(text) => ToolFault::InvalidInput(self.text(text)),
            ToolFault::Denied(text) => ToolFault::Denied(self.text(text)),
            ToolFault::Failed(text) => ToolFault::Failed(self.text(text)),
        }
    }

    fn text(&self, text: String) -> String {
        String::from_utf8_lossy(&self.bytes(text.into_bytes())).into_owned()
    }

    fn bytes(&self, bytes: Vec<u8>) -> Vec<u8> {
        match &self.0 {
            Some((http, principal)) => http.scrub(principal, bytes),
            None => bytes,
        }
    }
}

/// Passes on what a call reports.
struct Heard {
    scrub: Scrub,
    watcher: Arc<dyn Watcher>,
}

impl Watcher for Heard {
    fn progress(&self, fraction: Option<f32>, message: &str) {
        self.watcher.progress(fraction, &self.scrub.text(message.to_owned()));
    }

    fn log(&self, level: LogLevel, message: &str) {
        self.watcher.log(level, &self.scrub.text(message.to_owned()));
    }

    fn printed(&self, stream: Stream, bytes: &[u8]) {
        self.watcher.printed(stream, &self.scrub.bytes(bytes.to_vec()));
    }

    fn finished(&self, usage: &Usage) {
        self.watcher.finished(usage);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_trait::async_trait;
    use handbox_hand::{Http, HttpError, HttpRequest, HttpResponse, Part, Principal, Sender, ToolName};
    use std::sync::Mutex;

    struct Takes;

    #[async_trait]
    impl Http for Takes {
        async fn send(&self, _: &Sender, _: HttpRequest) -> Result<HttpResponse, HttpError> {
            Ok(HttpResponse::whole(200, Vec::new(), ""))
        }

        fn scrub(&self, principal: &Principal, bytes: Vec<u8>) -> Vec<u8> {
            assert_eq!(*principal, Principal::new("me/3"));
            String::from_utf8(bytes).unwrap().replace("canary", "****").into_bytes()
        }
    }

    #[derive(Default)]
    struct Ear(Mutex<Vec<String>>);

    impl Watcher for Ear {
        fn progress(&self, _: Option<f32>, message: &str) {
            self.0.lock().unwrap().push(message.to_owned());
        }
        fn log(&self, _: LogLevel, message: &str) {
            self.0.lock().unwrap().push(message.to_owned());
        }
    }

    #[test]
    fn whatever_a_tool_says_is_without_its_credentials() {
        let network = Network { http: Arc::new(Takes), owner: "me".into() };
        let scrub = Scrub::new(Some(&network), 3);
        let json = Part { media_type: "application/json".into(), data: b"\"canary\"".to_vec() };
        let output = || Output { parts: vec![Part::text("a canary"), json.clone()], ..Output::default() };
        let text = |output: Output| output.parts.iter().map(|part| part.data.clone()).collect::<Vec<_>>().concat();
        assert_eq!(text(scrub.result(Ok(output())).unwrap()), b"a ****\"****\"");
        let fields = serde_json::json!({ "stderr": "a canary", "more": ["canary", 1] });
        let fields = fields.as_object().cloned().unwrap_or_default();
        let output = Output { fields, ..Output::default() };
        let fields = scrub.result(Ok(output)).unwrap().fields;
        assert_eq!(Value::from(fields), serde_json::json!({ "stderr": "a ****", "more": ["****", 1] }));
        for fault in [ToolFault::Failed, ToolFault::Denied, ToolFault::InvalidInput] {
            let error = scrub.result(Err(HandError::Tool(fault("no canary".into())))).unwrap_err();
            assert!(error.to_string().ends_with("no ****"), "{error}");
        }
        assert_eq!(scrub.outcome(Outcome::Failed("canary".into())), Outcome::Failed("****".into()));
        let ear = Arc::new(Ear::default());
        let call = Call::new("1", ToolName::new("t").unwrap(), serde_json::Value::Null);
        let call = scrub.watched(Call { watcher: Arc::clone(&ear) as _, ..call });
        call.watcher.log(LogLevel::Info, "log canary");
        call.watcher.progress(None, "half a canary");
        assert_eq!(*ear.0.lock().unwrap(), ["log ****", "half a ****"]);
    }
}
