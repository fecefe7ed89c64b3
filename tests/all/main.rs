//! End-to-end tests: tools in their sandboxes, the program as people type it, and the
//! repository's own properties.

mod cli_agents;
mod cli_bash;
mod cli_bundle;
mod cli_call;
mod cli_components;
mod cli_config;
mod cli_exit;
mod cli_grants;
mod cli_http;
mod cli_new;
mod cli_pack;
mod cli_run;
mod cli_run_change;
mod cli_run_elsewhere;
mod cli_run_hints;
mod cli_self;
mod cli_sessions;
mod cli_teaches;
mod cli_teaches_folders;
mod cli_teaches_input;
mod cli_teaches_repack;
mod cli_teaches_rest;
mod cli_teaches_slips;
mod cli_teaches_walk;
mod cli_teaches_words;
mod cli_terminal;
mod cli_vault;
mod cli_vault_servers;
mod cli_verify;
mod conformance;
mod guests;
mod sandbox;
mod std_tools;
mod storm;
mod tidy;
