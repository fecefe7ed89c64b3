//! The command line, as Node reads it.

/// The version of Node whose answers these are.
pub(crate) const VERSION: &str = "v20.20.2";

const HELP: &str = "\
Usage: node [options] [ script.js ] [arguments]

  -                       script read from stdin
  -c, --check             only check the syntax of the script
  -e, --eval ...          evaluate a script
  -h, --help              print this text
  -i                      not supported: there is no terminal
  --input-type=...        module or commonjs, for a script that is no file
  -p, --print [...]       evaluate a script and print its result
  -r, --require ...       load a module first
  --test [files]          run the tests of files
  -v, --version           print the version of Node that this answers as
";

/// Where the script comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Script {
    File(String),
    Text(String),
    Stdin,
    /// The files of tests that the words behind the options name, or that are found.
    Tests,
}

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) script: Script,
    /// Prints what the script comes to.
    pub(crate) print: bool,
    /// Only checks its syntax.
    pub(crate) check: bool,
    /// `module` or `commonjs`, where it was said.
    pub(crate) input_type: Option<String>,
    /// Modules that are loaded first.
    pub(crate) preload: Vec<String>,
    /// What stands before the script and is not about it.
    pub(crate) exec_args: Vec<String>,
    /// What stands behind the script.
    pub(crate) args: Vec<String>,
}

/// What became of a command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Parsed {
    Run(Options),
    Say(String),
    Refuse(String),
}

/// Reads a command line; its first word is the program's name.
pub(crate) fn parse(words: &[String]) -> Parsed {
    let mut options = Options {
        script: Script::Stdin,
        print: false,
        check: false,
        input_type: None,
        preload: Vec::new(),
        exec_args: Vec::new(),
        args: Vec::new(),
    };
    let mut text: Option<String> = None;
    let mut rest = words.iter().skip(1).peekable();
    while let Some(word) = rest.peek().map(|word| word.as_str()) {
        if word == "-" || !word.starts_with('-') {
            break;
        }
        rest.next();
        if word == "--" {
            break;
        }
        options.exec_args.push(word.to_owned());
        let (name, value) = match word.split_once('=') {
            Some((name, value)) if word.starts_with("--") => (name, Some(value.to_owned())),
            _ => (word, None),
        };
        let mut value = || value.clone().or_else(|| rest.next().cloned());
        match name {
            "-v" | "--version" => return Parsed::Say(format!("{VERSION}\n")),
            "-h" | "--help" => return Parsed::Say(HELP.to_owned()),
            "-c" | "--check" => options.check = true,
            "-e" | "--eval" | "-pe" | "-p" | "--print" => {
                options.print |= name.contains('p');
                match value() {
                    Some(script) => text = Some(script),
                    None if name.contains("-p") => {}
                    None => return Parsed::Refuse(format!("{name} requires an argument")),
                }
            }
            "--input-type" => options.input_type = value(),
            "-r" | "--require" | "--import" => options.preload.extend(value()),
            "-i" | "--interactive" => return Parsed::Refuse("there is no terminal to be interactive with".to_owned()),
            "--test" => options.script = Script::Tests,
            "--watch" | "--inspect" | "--inspect-brk" => {
                return Parsed::Refuse(format!("{name} is not supported here"));
            }
            // The many that tune V8 or turn warnings off mean nothing here.
            _ if name.starts_with("--") => {}
            _ => return Parsed::Refuse(format!("bad option: {word}")),
        }
    }
    if options.script == Script::Tests {
        options.args = rest.cloned().collect();
        return Parsed::Run(options);
    }
    options.script = match (text, rest.peek()) {
        (Some(text), _) => Script::Text(text),
        (None, Some(word)) if *word == "-" => {
            rest.next();
            Script::Stdin
        }
        (None, Some(_)) => Script::File(rest.next().cloned().unwrap_or_default()),
        (None, None) => Script::Stdin,
    };
    options.args = rest.cloned().collect();
    Parsed::Run(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Options {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        match parse(&words) {
            Parsed::Run(options) => options,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_stands_behind_the_script_is_the_scripts() {
        let options = parsed("node -r ./a.js main.js -e --check x");
        assert_eq!(options.script, Script::File("main.js".to_owned()));
        assert_eq!(options.preload, ["./a.js"]);
        assert_eq!(options.args, ["-e", "--check", "x"]);
        assert!(!options.check);
    }

    #[test]
    fn a_text_is_a_script_and_may_be_printed() {
        let options = parsed("node -p 1+1 a b");
        assert_eq!((options.script, options.print), (Script::Text("1+1".to_owned()), true));
        assert_eq!(options.args, ["a", "b"]);
        assert_eq!(parsed("node --eval=1").script, Script::Text("1".to_owned()));
        assert!(!parsed("node --eval=1").print);
        assert_eq!(parsed("node").script, Script::Stdin);
        assert_eq!(parsed("node - a").args, ["a"]);
        assert_eq!(parsed("node --input-type=module -e 1").input_type.as_deref(), Some("module"));
    }
}
