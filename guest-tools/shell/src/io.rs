//! The streams a command sees, by number.

use crate::system::{Fault, Input, Output};
use std::collections::BTreeMap;
use std::rc::Rc;

/// A numbered stream.
#[derive(Clone)]
pub(crate) enum Fd {
    In(Rc<Input>),
    Out(Rc<Output>),
    Both(Rc<Input>, Rc<Output>),
}

/// All of them. Cloning shares the streams.
#[derive(Clone)]
pub(crate) struct Io {
    fds: BTreeMap<i32, Fd>,
}

impl Io {
    pub(crate) fn new(input: Input, output: Output, error: Output) -> Self {
        let fds = [(0, Fd::In(Rc::new(input))), (1, Fd::Out(Rc::new(output))), (2, Fd::Out(Rc::new(error)))];
        Self { fds: BTreeMap::from(fds) }
    }

    /// None at all.
    pub(crate) fn closed() -> Self {
        Self { fds: BTreeMap::new() }
    }

    /// The streams that this process was started with.
    pub(crate) fn own() -> Self {
        Self::new(Input::own(), Output::own(), Output::own_error())
    }

    pub(crate) fn get(&self, number: i32) -> Option<&Fd> {
        self.fds.get(&number)
    }

    pub(crate) fn set(&mut self, number: i32, fd: Fd) {
        self.fds.insert(number, fd);
    }

    pub(crate) fn close(&mut self, number: i32) {
        self.fds.remove(&number);
    }

    /// The first number from 10 on that is free.
    pub(crate) fn free(&self) -> i32 {
        (10..).find(|number| !self.fds.contains_key(number)).unwrap_or(i32::MAX)
    }

    pub(crate) fn input(&self, number: i32) -> Option<Rc<Input>> {
        match self.fds.get(&number)? {
            Fd::In(input) | Fd::Both(input, _) => Some(Rc::clone(input)),
            Fd::Out(_) => None,
        }
    }

    pub(crate) fn output(&self, number: i32) -> Option<Rc<Output>> {
        match self.fds.get(&number)? {
            Fd::Out(output) | Fd::Both(_, output) => Some(Rc::clone(output)),
            Fd::In(_) => None,
        }
    }

    pub(crate) fn write(&self, number: i32, bytes: &[u8]) -> Result<(), Fault> {
        let output = self.output(number).ok_or_else(|| Fault::Other("Bad file descriptor".to_owned()))?;
        output.write(bytes)
    }
}
