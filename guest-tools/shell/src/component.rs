//! The component's second face: the program `sh`.

struct Program;

impl wasip2::exports::cli::run::Guest for Program {
    fn run() -> Result<(), ()> {
        let status = crate::run::main();
        match u8::try_from(status) {
            Ok(0) => Ok(()),
            Ok(status) => {
                wasip2::cli::exit::exit_with_code(status);
                Err(())
            }
            Err(_) => Err(()),
        }
    }
}

wasip2::cli::command::export!(Program);
