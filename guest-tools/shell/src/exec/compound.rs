//! Compound commands.

use crate::pattern::Pattern;
use crate::shell::{Flow, Run, Shell};
use crate::state::NOCASEMATCH;
use brush_parser::ast::{self, CaseItemPostAction, CompoundCommand};

/// What a loop does after a round.
enum Round {
    Next,
    Leave,
}

/// Whether it is a command: the parser takes `( (echo a) )` for arithmetic, in which two words
/// in a row mean nothing.
/// A known variable's name begins an expression: `((n / m))`.
fn is_no_expression(source: &str, known: impl Fn(&str) -> bool) -> bool {
    let mut words = source.split_whitespace();
    let word = |text: &str| {
        text.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && text.chars().all(|c| c.is_alphanumeric() || "_-./".contains(c))
    };
    let starts_word = |text: &str| {
        let path = text.strip_prefix('/').unwrap_or(text);
        path.starts_with(|c: char| c.is_alphanumeric() || "_\"'$./~".contains(c))
    };
    let (first, second, third) = (words.next(), words.next(), words.next());
    // `ls /`, not `n / 2`.
    let root = second == Some("/") && third.is_none_or(|text| text.contains(['<', '>', '|', '&', ';']));
    first.is_some_and(|text| word(text) && !known(text)) && (root || second.is_some_and(starts_word))
}

/// What a `for` goes through, as it is written.
fn words_of(clause: &ast::ForClauseCommand) -> String {
    match &clause.values {
        Some(words) => words.iter().map(|word| word.value.as_str()).collect::<Vec<_>>().join(" "),
        None => "\"$@\"".to_owned(),
    }
}

impl Shell {
    pub(crate) fn run_compound(&mut self, command: &CompoundCommand) -> Run {
        match command {
            CompoundCommand::BraceGroup(group) => self.run_list(&group.list),
            CompoundCommand::Subshell(subshell) => {
                let line = subshell.loc.start.line;
                self.note_command(|| subshell.to_string());
                let status = self.run_subshell(&subshell.list);
                self.state.line = line;
                status
            }
            CompoundCommand::IfClause(clause) => self.run_if(clause),
            CompoundCommand::ForClause(clause) => self.run_for(clause),
            CompoundCommand::ArithmeticForClause(clause) => self.run_arithmetic_for(clause),
            CompoundCommand::WhileClause(clause) => self.run_while(clause, true),
            CompoundCommand::UntilClause(clause) => self.run_while(clause, false),
            CompoundCommand::CaseClause(clause) => self.run_case(clause),
            CompoundCommand::Arithmetic(command) => self.run_arithmetic_command(command),
            CompoundCommand::Coprocess(command) => {
                self.state.line = command.loc.start.line;
                self.run_coprocess(command)
            }
        }
    }

    // Out of line: its caller is on the stack once for each level.
    #[inline(never)]
    pub(crate) fn refuse_depth(&self) -> Run {
        self.complain("nested too deeply");
        Err(Flow::Discard(1))
    }

    #[inline(never)]
    fn run_arithmetic_command(&mut self, command: &ast::ArithmeticCommand) -> Run {
        self.state.line = command.loc.start.line;
        if is_no_expression(&command.expr.value, |name| self.state.vars.get(name).is_some()) {
            return self.in_subshell(self.io.clone(), |shell| shell.run_text(&command.expr.value));
        }
        self.before(|| command.to_string())?;
        self.run_arithmetic(&command.expr.value)
    }

    /// `((…))`, and `let`: 0 if the value is not 0.
    pub(crate) fn run_arithmetic(&mut self, source: &str) -> Run {
        let source = self.expand_arithmetic(source)?;
        match self.arithmetic(&source) {
            Ok(value) => Ok(i32::from(value == 0)),
            Err(Flow::Discard(status)) => Ok(status),
            Err(flow) => Err(flow),
        }
    }

    fn expand_arithmetic(&mut self, source: &str) -> Result<String, Flow> {
        if source.contains(['$', '`', '"', '\'', '\\']) {
            self.expand_here(&source.replace('"', ""))
        } else {
            Ok(source.to_owned())
        }
    }

    fn run_if(&mut self, clause: &ast::IfClauseCommand) -> Run {
        if self.run_condition(&clause.condition)? {
            return self.run_list(&clause.then);
        }
        for part in clause.elses.iter().flatten() {
            let taken = match &part.condition {
                Some(condition) => self.run_condition(condition)?,
                None => true,
            };
            if taken {
                return self.run_list(&part.body);
            }
        }
        self.state.status = 0;
        Ok(0)
    }

    /// Runs a loop's body once.
    fn round(&mut self, body: &ast::DoGroupCommand) -> Result<Round, Flow> {
        self.check_time()?;
        self.state.loops += 1;
        let done = self.run_list(&body.list);
        self.state.loops -= 1;
        match done {
            Ok(_) => Ok(Round::Next),
            Err(Flow::Break(1)) => {
                self.state.status = 0;
                Ok(Round::Leave)
            }
            Err(Flow::Continue(1)) => {
                self.state.status = 0;
                Ok(Round::Next)
            }
            Err(Flow::Break(levels)) => Err(Flow::Break(levels - 1)),
            Err(Flow::Continue(levels)) => Err(Flow::Continue(levels - 1)),
            Err(flow) => Err(flow),
        }
    }

    fn run_for(&mut self, clause: &ast::ForClauseCommand) -> Run {
        self.state.line = clause.loc.start.line;
        let values = match &clause.values {
            Some(words) => self.expand_words(words)?,
            None => self.state.args.to_vec(),
        };
        self.state.status = 0;
        if let Some(name) = clause.variable_name.strip_prefix(crate::source::SELECT) {
            return self.run_select(name, &values, &clause.body);
        }
        for value in values {
            self.before(|| format!("for {} in {}", clause.variable_name, words_of(clause)))?;
            let name = &clause.variable_name;
            if self.state.vars.get(name).is_some_and(|variable| variable.has.nameref) {
                // A reference goes from name to name.
                self.vars().entry(name).value = crate::vars::Value::Scalar(value);
            } else if self.assign((name, None), &value, false).is_err() {
                return Ok(1);
            }
            if matches!(self.round(&clause.body)?, Round::Leave) {
                break;
            }
        }
        Ok(self.state.status)
    }

    fn run_select(&mut self, name: &str, values: &[String], body: &ast::DoGroupCommand) -> Run {
        let width = values.len().to_string().len();
        let menu: String =
            values.iter().enumerate().map(|(at, value)| format!("{:>width$}) {value}\n", at + 1)).collect();
        self.err(&menu);
        loop {
            let prompt = self.var("PS3").unwrap_or_else(|| "#? ".to_owned());
            self.err(&prompt);
            let input = self.io.input(0);
            if let Some(input) = &input {
                self.await_input(input, None)?;
            }
            let line = input.and_then(|input| input.read_until(b'\n', 65_536).ok()).unwrap_or_default();
            if line.is_empty() {
                self.out("\n")?;
                return Ok(1);
            }
            let reply = crate::text::from_bytes(&line).trim().to_owned();
            if reply.is_empty() {
                self.err(&menu);
                continue;
            }
            let chosen = reply.parse::<usize>().ok().and_then(|number| values.get(number.checked_sub(1)?));
            let chosen = chosen.cloned().unwrap_or_default();
            self.set_own("REPLY", reply);
            if self.assign((name, None), &chosen, false).is_err() {
                return Ok(1);
            }
            if matches!(self.round(body)?, Round::Leave) {
                return Ok(self.state.status);
            }
        }
    }

    fn run_arithmetic_for(&mut self, clause: &ast::ArithmeticForClauseCommand) -> Run {
        self.state.line = clause.loc.start.line;
        let value = |shell: &mut Self, part: &Option<ast::UnexpandedArithmeticExpr>| match part {
            Some(part) if !part.value.trim().is_empty() => {
                let source = shell.expand_arithmetic(&part.value)?;
                shell.arithmetic(&source)
            }
            _ => Ok(1),
        };
        value(self, &clause.initializer)?;
        self.state.status = 0;
        while value(self, &clause.condition)? != 0 {
            if matches!(self.round(&clause.body)?, Round::Leave) {
                break;
            }
            value(self, &clause.updater)?;
        }
        Ok(self.state.status)
    }

    fn run_while(
        &mut self,
        ast::WhileOrUntilClauseCommand(condition, body, _): &ast::WhileOrUntilClauseCommand,
        wanted: bool,
    ) -> Run {
        let mut status = 0;
        loop {
            self.state.loops += 1;
            let goes_on = self.run_condition(condition);
            self.state.loops -= 1;
            match goes_on {
                Ok(answer) if answer != wanted => break,
                Ok(_) => {}
                Err(Flow::Break(1)) => break,
                Err(Flow::Continue(1)) => continue,
                Err(Flow::Break(levels)) => return Err(Flow::Break(levels - 1)),
                Err(Flow::Continue(levels)) => return Err(Flow::Continue(levels - 1)),
                Err(flow) => return Err(flow),
            }
            let round = self.round(body)?;
            status = self.state.status;
            if matches!(round, Round::Leave) {
                break;
            }
        }
        self.state.status = status;
        Ok(status)
    }

    fn run_case(&mut self, clause: &ast::CaseClauseCommand) -> Run {
        self.state.line = clause.loc.start.line;
        self.before(|| format!("case {} in ", clause.value.value))?;
        let value = self.expand_one(&clause.value.value)?;
        self.state.status = 0;
        let mut falls_through = false;
        for item in &clause.cases {
            if !falls_through && !self.case_fits(&value, &item.patterns)? {
                continue;
            }
            if let Some(list) = &item.cmd {
                self.run_list(list)?;
            } else {
                self.state.status = 0;
            }
            match item.post_action {
                CaseItemPostAction::ExitCase => break,
                CaseItemPostAction::UnconditionallyExecuteNextCaseItem => falls_through = true,
                CaseItemPostAction::ContinueEvaluatingCases => falls_through = false,
            }
        }
        Ok(self.state.status)
    }

    fn case_fits(&mut self, value: &str, patterns: &[ast::Word]) -> Result<bool, Flow> {
        for pattern in patterns {
            let pattern = self.expand_pattern(&pattern.value)?;
            let ignore = self.state.shopt(NOCASEMATCH);
            if Pattern::new(&pattern).ignoring_case(ignore).matches(value) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
