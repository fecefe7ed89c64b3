//! What a program of awk is made of.

use super::value::Text;
use regex::bytes::Regex;
use std::rc::Rc;

/// Where a variable is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Place in the globals; the first ones are those of [`SPECIALS`].
    Global(usize),
    /// Place in the frame of a function's call.
    Local(usize),
}

/// The variables that mean something to awk itself, in the order of their places.
pub(super) const SPECIALS: [&str; 14] = [
    "NF",
    "NR",
    "FNR",
    "FS",
    "OFS",
    "ORS",
    "RS",
    "SUBSEP",
    "CONVFMT",
    "OFMT",
    "FILENAME",
    "RSTART",
    "RLENGTH",
    "IGNORECASE",
];
pub(super) const NF: usize = 0;
pub(super) const NR: usize = 1;
pub(super) const FNR: usize = 2;
pub(super) const FS: usize = 3;
pub(super) const OFS: usize = 4;
pub(super) const ORS: usize = 5;
pub(super) const RS: usize = 6;
pub(super) const SUBSEP: usize = 7;
pub(super) const CONVFMT: usize = 8;
pub(super) const OFMT: usize = 9;
pub(super) const FILENAME: usize = 10;
pub(super) const RSTART: usize = 11;
pub(super) const RLENGTH: usize = 12;
pub(super) const IGNORECASE: usize = 13;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Power,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Less,
    LessOrEqual,
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
}

/// Where `getline` reads.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// The files of the command line.
    Main,
    File(Box<Expr>),
    Command(Box<Expr>),
}

/// How much is added, and which value is the expression's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Step {
    BeforeUse(f64),
    AfterUse(f64),
}

#[derive(Clone, Debug)]
pub(super) enum Expr {
    Number(f64),
    String(Text),
    /// A regular expression; alone it is matched with the record.
    Regex(Rc<Regex>),
    Variable(Place),
    Field(Box<Expr>),
    Element(Place, Vec<Expr>),
    Assign(Option<Arithmetic>, Box<Expr>, Box<Expr>),
    Step(Step, Box<Expr>),
    Choice(Box<Expr>, Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Not(Box<Expr>),
    Negate(Box<Expr>),
    Number1(Box<Expr>),
    Arithmetic(Arithmetic, Box<Expr>, Box<Expr>),
    Concat(Box<Expr>, Box<Expr>),
    Compare(Comparison, Box<Expr>, Box<Expr>),
    Match {
        wanted: bool,
        text: Box<Expr>,
        pattern: Box<Expr>,
    },
    Contains(Vec<Expr>, Place),
    Call(usize, Vec<Expr>),
    Builtin(Builtin, Vec<Expr>),
    Getline(Source, Option<Box<Expr>>),
    /// In parentheses: a list of more than one may stand behind `print`.
    Group(Vec<Expr>),
    /// The whole array, as an argument.
    Array(Place),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Builtin {
    Atan2,
    Close,
    Cos,
    Exp,
    Fflush,
    Gensub,
    Gsub,
    Index,
    Int,
    Length,
    Log,
    Match,
    Rand,
    Sin,
    Split,
    Sprintf,
    Sqrt,
    Srand,
    Strftime,
    Strtonum,
    Sub,
    Substr,
    System,
    Systime,
    Tolower,
    Toupper,
    Asort,
    Asorti,
    And,
    Or,
    Xor,
    Lshift,
    Rshift,
}

impl Builtin {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "atan2" => Self::Atan2,
            "close" => Self::Close,
            "cos" => Self::Cos,
            "exp" => Self::Exp,
            "fflush" => Self::Fflush,
            "gensub" => Self::Gensub,
            "gsub" => Self::Gsub,
            "index" => Self::Index,
            "int" => Self::Int,
            "length" => Self::Length,
            "log" => Self::Log,
            "match" => Self::Match,
            "rand" => Self::Rand,
            "sin" => Self::Sin,
            "split" => Self::Split,
            "sprintf" => Self::Sprintf,
            "sqrt" => Self::Sqrt,
            "srand" => Self::Srand,
            "strftime" => Self::Strftime,
            "strtonum" => Self::Strtonum,
            "sub" => Self::Sub,
            "substr" => Self::Substr,
            "system" => Self::System,
            "systime" => Self::Systime,
            "tolower" => Self::Tolower,
            "toupper" => Self::Toupper,
            "asort" => Self::Asort,
            "asorti" => Self::Asorti,
            "and" => Self::And,
            "or" => Self::Or,
            "xor" => Self::Xor,
            "lshift" => Self::Lshift,
            "rshift" => Self::Rshift,
            _ => return None,
        })
    }

    /// Which of its arguments are arrays.
    pub(super) fn takes_array(self, place: usize) -> bool {
        match self {
            Self::Split | Self::Match => (self == Self::Split && place == 1) || (self == Self::Match && place == 2),
            Self::Asort | Self::Asorti => true,
            _ => false,
        }
    }
}

/// Where `print` writes.
#[derive(Clone, Debug)]
pub(super) enum Target {
    Output,
    File(Expr),
    Append(Expr),
    Command(Expr),
}

#[derive(Clone, Debug)]
pub(super) enum Statement {
    Expr(Expr),
    Print(Vec<Expr>, Target),
    Printf(Vec<Expr>, Target),
    If(Expr, Box<Statement>, Option<Box<Statement>>),
    While(Expr, Box<Statement>),
    DoWhile(Box<Statement>, Expr),
    For(Option<Box<Statement>>, Option<Expr>, Option<Box<Statement>>, Box<Statement>),
    ForIn(Place, Place, Box<Statement>),
    Block(Vec<Statement>),
    Next,
    NextFile,
    Exit(Option<Expr>),
    Return(Option<Expr>),
    Break,
    Continue,
    Delete(Place, Vec<Expr>),
}

/// When the statements of a rule run.
#[derive(Clone, Debug)]
pub(super) enum Pattern {
    Always,
    When(Expr),
    /// From the first to the second; the number says which range of the program it is.
    Range(Expr, Expr, usize),
}

#[derive(Clone, Debug, Default)]
pub(super) struct Function {
    pub(super) parameters: Vec<String>,
    pub(super) body: Vec<Statement>,
    pub(super) defined: bool,
    /// Which parameters are arrays.
    pub(super) arrays: Vec<bool>,
}

#[derive(Debug, Default)]
pub(super) struct Program {
    pub(super) begin: Vec<Vec<Statement>>,
    pub(super) rules: Vec<(Pattern, Option<Vec<Statement>>)>,
    pub(super) end: Vec<Vec<Statement>>,
    pub(super) functions: Vec<Function>,
    pub(super) globals: Vec<String>,
    pub(super) ranges: usize,
}
