//! Functions, and files that are sourced.

use crate::shell::{Flow, Run, Shell, takes};
use crate::state::{ERRTRACE, FUNCTRACE, Frame, Function};
use brush_parser::ast;
use std::rc::Rc;

impl Shell {
    pub(crate) fn define(&mut self, definition: &ast::FunctionDefinition) -> Run {
        let file = self.file();
        let function = Rc::new(Function { body: definition.body.clone(), file, exported: false });
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

    /// Says so if functions go too deep.
    // Out of line: its caller is on the stack once for each level.
    #[inline(never)]
    fn refuse_call(&self, name: &str) -> Result<(), Flow> {
        let wanted = self.var("FUNCNEST").and_then(|limit| limit.parse().ok()).filter(|limit| *limit > 0);
        // It can only lower what the stack bears.
        let level = self.state.frames.len();
        if !self.is_deep() && wanted.is_none_or(|wanted: usize| level < wanted) {
            return Ok(());
        }
        self.complain(&format!("{name}: maximum function nesting level exceeded ({level})"));
        Err(Flow::Discard(1))
    }

    pub(crate) fn call(&mut self, function: &Rc<Function>, args: &[String]) -> Run {
        self.refuse_call(&args[0])?;
        let frame = Frame { function: args[0].clone(), file: function.file.clone(), line: self.state.line };
        let was = std::mem::replace(&mut self.state.args, Rc::new(args[1..].to_vec()));
        let loops = std::mem::take(&mut self.state.loops);
        Rc::make_mut(&mut self.state.frames).push(frame);
        self.vars().enter();
        self.depth += takes::CALL;
        let body = &function.body;
        let hidden = self.hide_traps();
        let done = self.run_own_trap("DEBUG");
        let done = done.and_then(|()| self.with_redirects(body.1.as_ref(), |shell| shell.run_compound(&body.0)));
        let done = self.returned(done);
        self.show_traps(hidden);
        self.depth -= takes::CALL;
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

    /// Runs the trap RETURN where a function or a sourced file ends.
    fn returned(&mut self, done: Run) -> Run {
        if matches!(done, Ok(_) | Err(Flow::Return(_))) {
            self.run_own_trap("RETURN")?;
        }
        done
    }

    /// Takes away the traps that a function does not inherit; gives them.
    #[inline(never)]
    fn hide_traps(&mut self) -> Vec<(&'static str, String)> {
        if self.state.traps.is_empty() {
            return Vec::new();
        }
        let kept = [("DEBUG", FUNCTRACE), ("RETURN", FUNCTRACE), ("ERR", ERRTRACE)];
        let hidden =
            kept.into_iter().filter(|(name, option)| !self.state.has(*option) && self.state.traps.contains_key(*name));
        let names: Vec<&str> = hidden.map(|(name, _)| name).collect();
        let traps = Rc::make_mut(&mut self.state.traps);
        names.into_iter().filter_map(|name| Some((name, traps.remove(name)?))).collect()
    }

    /// Puts them back, but for those that the function set for itself.
    #[inline(never)]
    fn show_traps(&mut self, hidden: Vec<(&'static str, String)>) {
        if hidden.is_empty() {
            return;
        }
        let traps = Rc::make_mut(&mut self.state.traps);
        for (name, command) in hidden {
            traps.entry(name.to_owned()).or_insert(command);
        }
    }

    /// Runs a text in this shell as `source` does.
    pub(crate) fn run_file(&mut self, path: &str, text: &str, args: Option<Vec<String>>) -> Run {
        if self.is_deep() {
            return self.fail(&format!("{path}: too deep"));
        }
        let frame = Frame { function: "source".to_owned(), file: path.to_owned(), line: self.state.line };
        let was = args.map(|args| std::mem::replace(&mut self.state.args, Rc::new(args)));
        Rc::make_mut(&mut self.state.frames).push(frame);
        self.depth += takes::TEXT;
        let done = self.run_text(text);
        let done = self.returned(done);
        self.depth -= takes::TEXT;
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
