//! The recipe of a hand: what a bundle asks for, what an operator grants, and what
//! a call may therefore do. Pure but for reading a bundle's own folder and making the
//! paths of grants canonical; *never* runs a component, names an engine, or looks for
//! configuration.

mod amount;
mod asks;
mod bundle;
mod digest;
mod error;
mod fence;
mod grant;
mod imports;
mod inspect;
mod limit_field;
mod limits;
mod limits_text;
mod links;
mod manifest;
mod manifest_check;
mod manifest_file;
mod open;
mod schema;
mod schema_cost;
pub mod section;
mod text;

pub use asks::{Effective, Gap, GapKind};
pub use bundle::{Bundle, BundleComponent, BundleSource, Bytes, ComponentSource, ToolChoice};
pub use digest::Digest;
pub use error::BundleError;
pub use fence::{Dangerous, Fence};
pub use grant::{
    FolderDefaults, FolderGrant, GUEST_PATH_DEFAULT, Grants, Mode, OUTPUTS_PATH, SCRATCH_PATH, check_guest_path,
    parse_env,
};
pub use inspect::{COMPONENT_BYTES_MAX, Inspection, Kind, Producer, inspect};
pub use limits::{Limits, LimitsPatch, Profile};
pub use manifest::{Arg, Asks, Command, Compile, FolderAsk, Manifest, PropertyArg, State};
pub use manifest_check::{DESCRIPTION_BYTES_MAX, TOOLS_MAX, check_tools};
pub use manifest_file::{CommandFile, ManifestFile};
pub use open::BUNDLE_FILE;
pub use schema::SCHEMA_BYTES_MAX;
pub use text::{TOML_BYTES_MAX, parse_toml};
