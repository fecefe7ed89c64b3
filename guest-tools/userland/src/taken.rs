//! The programs that are taken as they are, from uutils.

use std::ffi::OsString;
use std::io::Write as _;

/// What a program of uutils is: its arguments, the first of them its name, to its status.
type Program = fn(std::vec::IntoIter<OsString>) -> i32;

/// Runs one of them. None if there is none of that name.
pub(crate) fn run(name: &str, args: Vec<OsString>) -> Option<i32> {
    let program = of_files(name).or_else(|| of_text(name)).or_else(|| of_sums(name)).or_else(|| of_values(name))?;
    // Their messages are kept apart from them, and they print the messages' names if this
    // fails: worse to read, and no reason not to run.
    let _ = uucore::locale::setup_localization(match name {
        "[" => "test",
        name => name,
    });
    let args = handbox_userland::adapt::arguments(name, args);
    let made = handbox_userland::adapt::missing(name, &args);
    let moved = handbox_userland::adapt::moved(name, &args);
    let status = program(args.into_iter());
    handbox_userland::adapt::mask(&made);
    if status == 0 {
        handbox_userland::adapt::keep(&moved);
    }
    Some(match std::io::stdout().flush() {
        Err(error) if status == 0 => i32::from(handbox_userland::report_loss(name, &error)),
        _ => status,
    })
}

fn of_files(name: &str) -> Option<Program> {
    Some(match name {
        "link" => uu_link::uumain,
        "ln" => uu_ln::uumain,
        "mv" => uu_mv::uumain,
        "readlink" => uu_readlink::uumain,
        "realpath" => uu_realpath::uumain,
        "rm" => uu_rm::uumain,
        "rmdir" => uu_rmdir::uumain,
        "shred" => uu_shred::uumain,
        "touch" => uu_touch::uumain,
        "truncate" => uu_truncate::uumain,
        "unlink" => uu_unlink::uumain,
        _ => return None,
    })
}

fn of_text(name: &str) -> Option<Program> {
    Some(match name {
        "comm" => uu_comm::uumain,
        "csplit" => uu_csplit::uumain,
        "cut" => uu_cut::uumain,
        "expand" => uu_expand::uumain,
        "fmt" => uu_fmt::uumain,
        "fold" => uu_fold::uumain,
        "head" => uu_head::uumain,
        "join" => uu_join::uumain,
        "nl" => uu_nl::uumain,
        "od" => uu_od::uumain,
        "pr" => uu_pr::uumain,
        "ptx" => uu_ptx::uumain,
        "shuf" => uu_shuf::uumain,
        "sort" => uu_sort::uumain,
        "split" => uu_split::uumain,
        "tail" => uu_tail::uumain,
        "tr" => uu_tr::uumain,
        "tsort" => uu_tsort::uumain,
        "unexpand" => uu_unexpand::uumain,
        "uniq" => uu_uniq::uumain,
        "wc" => uu_wc::uumain,
        _ => return None,
    })
}

fn of_sums(name: &str) -> Option<Program> {
    Some(match name {
        "b2sum" => uu_b2sum::uumain,
        "base32" => uu_base32::uumain,
        "base64" => uu_base64::uumain,
        "basenc" => uu_basenc::uumain,
        "cksum" => uu_cksum::uumain,
        "md5sum" => uu_md5sum::uumain,
        "sha1sum" => uu_sha1sum::uumain,
        "sha224sum" => uu_sha224sum::uumain,
        "sha256sum" => uu_sha256sum::uumain,
        "sha384sum" => uu_sha384sum::uumain,
        "sha512sum" => uu_sha512sum::uumain,
        "sum" => uu_sum::uumain,
        _ => return None,
    })
}

fn of_values(name: &str) -> Option<Program> {
    Some(match name {
        "arch" => uu_arch::uumain,
        "basename" => uu_basename::uumain,
        "date" => uu_date::uumain,
        "dirname" => uu_dirname::uumain,
        "echo" => uu_echo::uumain,
        "expr" => uu_expr::uumain,
        "factor" => uu_factor::uumain,
        "false" => uu_false::uumain,
        "nproc" => uu_nproc::uumain,
        "numfmt" => uu_numfmt::uumain,
        "printenv" => uu_printenv::uumain,
        "printf" => uu_printf::uumain,
        "pwd" => uu_pwd::uumain,
        "seq" => uu_seq::uumain,
        "sleep" => uu_sleep::uumain,
        "test" | "[" => uu_test::uumain,
        "true" => uu_true::uumain,
        "yes" => uu_yes::uumain,
        _ => return None,
    })
}
