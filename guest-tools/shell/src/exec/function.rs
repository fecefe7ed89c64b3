//! Functions, and files that are sourced.

use crate::shell::{DEPTH_MAX, Flow, Run, Shell};
use crate::state::{Frame, Function};
use brush_parser::ast;
use std::rc::Rc;

impl Shell {
    pub(crate) fn define(&mut self, definition: &ast::FunctionDefinition) -> Run {
        let file = self.file();
        let function = Rc::new(Function { body: definition.body.clone(), file });
        Rc::make_mut(&mut self.state.functions).insert(definition.fname.value.clone(), function);
        Ok(0)
    }

    /// The file that is run.
    pub(crate) fn file(&self) -> String {
        let frames = &self.state.frames;
        frames.last().map_or_else(
            || if self.scripted { self.state.name.clone() } else { "environment".to_owned() },
            |frame| frame.file.clone(),
        )
    }

    pub(crate) fn call(&mut self, function: &Rc<Function>, args: &[String]) -> Run {
        let limit =
            self.var("FUNCNEST").and_then(|limit| limit.parse().ok()).filter(|limit| *limit > 0).unwrap_or(DEPTH_MAX);
        if self.depth >= limit {
            self.complain(&format!("{}: maximum function nesting level exceeded ({limit})", args[0]));
            return Err(Flow::Discard(1));
        }
        let frame = Frame { function: args[0].clone(), file: function.file.clone(), line: self.state.line };
        let was = std::mem::replace(&mut self.state.args, Rc::new(args[1..].to_vec()));
        let loops = std::mem::take(&mut self.state.loops);
        Rc::make_mut(&mut self.state.frames).push(frame);
        self.vars().enter();
        self.depth += 1;
        let body = &function.body;
        let done = self.with_redirects(body.1.as_ref(), |shell| shell.run_compound(&body.0));
        self.depth -= 1;
        self.vars().leave();
        let frame = Rc::make_mut(&mut self.state.frames).pop();
        self.state.loops = loops;
        self.state.args = was;
        self.state.line = frame.map_or(self.state.line, |frame| frame.line);
        match done {
            Err(Flow::Return(status)) => Ok(status),
            done => done,
        }
    }

    /// Runs a text in this shell as `source` does.
    pub(crate) fn run_file(&mut self, path: &str, text: &str, args: Option<Vec<String>>) -> Run {
        if self.depth >= DEPTH_MAX {
            return self.fail(&format!("{path}: too deep"));
        }
        let frame = Frame { function: "source".to_owned(), file: path.to_owned(), line: self.state.line };
        let was = args.map(|args| std::mem::replace(&mut self.state.args, Rc::new(args)));
        Rc::make_mut(&mut self.state.frames).push(frame);
        self.depth += 1;
        let done = self.run_text(text);
        self.depth -= 1;
        let frame = Rc::make_mut(&mut self.state.frames).pop();
        self.state.line = frame.map_or(self.state.line, |frame| frame.line);
        if let Some(was) = was {
            self.state.args = was;
        }
        match done {
            Err(Flow::Return(status)) => Ok(status),
            done => done,
        }
    }
}
