//! `export!`.

/// Exports tools as a component. Once in a component, at its top level.
///
/// ```
/// # use handbox_tool::{Call, Fault, Outcome, SavedState, tool};
/// /// Says how many calls there were.
/// #[tool(read_only)]
/// fn count() -> Result<String, Fault> { Ok("1".into()) }
///
/// /// Pays the bill.
/// #[tool(open_world, reconcile = paid)]
/// fn pay() -> Result<String, Fault> { Ok("paid".into()) }
///
/// fn paid(call: &Call) -> Outcome { Outcome::Unknown }
///
/// struct Ledger;
/// impl SavedState for Ledger {
///     fn save() -> Result<Vec<u8>, String> { Ok(Vec::new()) }
///     fn restore(saved: Vec<u8>) -> Result<(), String> { Ok(()) }
/// }
///
/// handbox_tool::export!(count, pay; recover, state = Ledger);
/// ```
///
/// After the semicolon stands what a hand exports beside its tools, if anything:
/// `recover` if a tool names a reconcile function, `state = Type` if it keeps state worth
/// passing on. A set whose tools reconcile does not compile without `recover`:
///
/// ```compile_fail
/// # use handbox_tool::{Call, Fault, Outcome, tool};
/// # /// Pays the bill.
/// # #[tool(open_world, reconcile = paid)]
/// # fn pay() -> Result<String, Fault> { Ok("paid".into()) }
/// # fn paid(call: &Call) -> Outcome { Outcome::Unknown }
/// handbox_tool::export!(pay);
/// ```
///
/// Nor does a set with two tools of one name:
///
/// ```compile_fail
/// # use handbox_tool::{Fault, tool};
/// # /// One.
/// # #[tool(name = "same")]
/// # fn one() -> Result<String, Fault> { Ok(String::new()) }
/// # /// Two.
/// # #[tool(name = "same")]
/// # fn two() -> Result<String, Fault> { Ok(String::new()) }
/// handbox_tool::export!(one, two);
/// ```
///
/// On targets other than WebAssembly it only checks the set, so that tools can be tested
/// natively.
#[macro_export]
macro_rules! export {
    ($($tool:ty),+ $(,)?) => {
        $crate::__export!([$($tool),+] recover: false);
    };
    ($($tool:ty),+ $(,)?; recover $(,)?) => {
        $crate::__export!([$($tool),+] recover: true);
    };
    ($($tool:ty),+ $(,)?; state = $state:ty $(,)?) => {
        $crate::__export!([$($tool),+] recover: false);
        $crate::__export_state!($state);
    };
    ($($tool:ty),+ $(,)?; recover, state = $state:ty $(,)?) => {
        $crate::__export!([$($tool),+] recover: true);
        $crate::__export_state!($state);
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __export {
    ([$($tool:ty),+] recover: $recover:tt) => {
        const _: () = {
            struct HandboxSet;
            impl $crate::__private::Set for HandboxSet {
                const TOOLS: &'static [$crate::__private::Entry] = &[$($crate::__private::marked!($tool)),+];
            }
            $crate::__private::check(<HandboxSet as $crate::__private::Set>::TOOLS, $recover);
            $crate::__export_hand!(HandboxSet);
            $crate::__export_recover!($recover HandboxSet);
        };
    };
}

#[doc(hidden)]
#[macro_export]
#[cfg(target_arch = "wasm32")]
macro_rules! __export_hand {
    ($set:ident) => {
        $crate::__private::hand::export_hand!($set with_types_in $crate::__private::hand);
    };
}

#[doc(hidden)]
#[macro_export]
#[cfg(target_arch = "wasm32")]
macro_rules! __export_recover {
    (true $set:ident) => {
        $crate::__private::recover::export_recover!($set with_types_in $crate::__private::recover);
    };
    (false $set:ident) => {};
}

#[doc(hidden)]
#[macro_export]
#[cfg(target_arch = "wasm32")]
macro_rules! __export_state {
    ($state:ty) => {
        const _: () = {
            type HandboxState = $state;
    $crate::__private::state::export_state!(HandboxState with_types_in $crate::__private::state);
        };
    };
}

#[doc(hidden)]
#[macro_export]
#[cfg(not(target_arch = "wasm32"))]
macro_rules! __export_hand {
    ($set:ident) => {};
}

#[doc(hidden)]
#[macro_export]
#[cfg(not(target_arch = "wasm32"))]
macro_rules! __export_recover {
    ($recover:tt $set:ident) => {};
}

#[doc(hidden)]
#[macro_export]
#[cfg(not(target_arch = "wasm32"))]
macro_rules! __export_state {
    ($state:ty) => {
        const _: () = {
            const fn saves<S: $crate::SavedState>() {}
            saves::<$state>();
        };
    };
}
