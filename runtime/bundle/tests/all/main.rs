//! What people rely on when they write limits, grants, manifests and bundles.

#![expect(clippy::unwrap_used, reason = "where a helper cannot go on, the test has failed")]

mod asks;
mod bundles;
mod grants;
mod hostile;
mod inspecting;
mod limits;
mod manifests;
mod schemas;
mod support;
