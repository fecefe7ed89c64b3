//! A bundle as it is worked with: its components, pinned by digest, and what it may ask for.

use crate::asks::{Effective, Gap};
use crate::digest::Digest;
use crate::error::BundleError;
use crate::grant::Grants;
use crate::inspect::Kind;
use crate::limits::LimitsPatch;
use crate::manifest::{Asks, Compile, Manifest};
use crate::manifest_check::check_twins;
use crate::section::parse_manifest;
use handbox_hand::{Tool, ToolName};
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// What hands are provisioned from: components and what they may ask for.
#[derive(Clone, Debug)]
pub struct Bundle {
    /// What people call it.
    pub name: String,
    /// SemVer version.
    pub version: String,
    /// In the order of `bundle.toml`.
    pub components: Vec<BundleComponent>,
    /// The author's own limits. They can only narrow the operator's.
    pub limits: LimitsPatch,
    /// Every file that was loaded, canonical: none of them may ever be writable for a guest.
    pub files: Vec<PathBuf>,
    /// Every link that was followed on the way to one of them, named through its canonical
    /// folder: a guest that may write there could make the next call load something else.
    pub links: Vec<PathBuf>,
}

/// One component of a bundle.
#[derive(Clone, Debug)]
pub struct BundleComponent {
    /// For people: the manifest's name, or the file's without its end.
    pub name: String,
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// Which kind of hand it becomes.
    pub kind: Kind,
    /// Its manifest, if it was packed.
    pub manifest: Option<Manifest>,
    /// Which of its tools the bundle shows, under which names.
    pub tools: ToolChoice,
    /// The most it may be given: its manifest's asks, narrowed by the bundle's. Empty
    /// without a manifest.
    pub asks: Asks,
    /// Its bytes; see [`BundleComponent::load`].
    pub bytes: Bytes,
}

/// A component's bytes, or how to come by them.
#[derive(Clone)]
pub enum Bytes {
    /// Read and hashed already.
    Loaded(Arc<[u8]>),
    /// To be unpacked when they are needed, which a cached call never does. The text of an
    /// error is for people.
    Lazy(Arc<dyn Fn() -> Result<Vec<u8>, String> + Send + Sync>),
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Loaded(bytes) => write!(f, "Loaded({} bytes)", bytes.len()),
            Self::Lazy(_) => f.write_str("Lazy"),
        }
    }
}

/// Which tools of a component a bundle shows, under which names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ToolChoice {
    /// All, under their own names.
    #[default]
    All,
    /// All; those that stand here get another name (own name to shown name).
    Renamed(BTreeMap<ToolName, ToolName>),
    /// Only these, under their own names.
    Only(Vec<ToolName>),
}

impl ToolChoice {
    /// The name under which the component's tool `own` is shown; `None` if it is not.
    pub fn shown_as(&self, own: &ToolName) -> Option<ToolName> {
        match self {
            Self::All => Some(own.clone()),
            Self::Renamed(names) => Some(names.get(own).unwrap_or(own).clone()),
            Self::Only(names) => names.contains(own).then(|| own.clone()),
        }
    }

    /// Pairs of own name and tool as shown, in the component's order.
    ///
    /// # Errors
    ///
    /// [`BundleError::Invalid`] if the choice names a tool that is not there.
    pub fn apply(&self, tools: &[Tool]) -> Result<Vec<(ToolName, Tool)>, BundleError> {
        let named: Vec<&ToolName> = match self {
            Self::All => Vec::new(),
            Self::Renamed(names) => names.keys().collect(),
            Self::Only(names) => names.iter().collect(),
        };
        if let Some(missing) = named.into_iter().find(|name| tools.iter().all(|tool| tool.name != **name)) {
            let known: Vec<&str> = tools.iter().map(|tool| tool.name.as_str()).collect();
            let message = format!("tools: the component has no tool `{missing}`");
            return Err(BundleError::invalid(message, format!("its tools are: {}", known.join(", "))));
        }
        let shown = tools.iter().filter_map(|tool| {
            let name = self.shown_as(&tool.name)?;
            Some((tool.name.clone(), Tool { name, ..tool.clone() }))
        });
        Ok(shown.collect())
    }
}

impl Bundle {
    /// What is left of `granted` for each component, in their order.
    pub fn effective(&self, granted: &Grants) -> Vec<Effective> {
        self.components.iter().map(|component| component.effective(granted)).collect()
    }

    /// The tools as shown that are known without running anything.
    ///
    /// # Errors
    ///
    /// As [`ToolChoice::apply`].
    pub fn known_tools(&self) -> Result<Vec<Tool>, BundleError> {
        let mut tools = Vec::new();
        for component in &self.components {
            tools.extend(component.known_tools()?.into_iter().flatten().map(|(_, tool)| tool));
        }
        Ok(tools)
    }

    /// Checks that no two tools, all those of a bundle together, have names that are equal
    /// or differ only in case. [`Bundle::open`] has done it for the tools known then.
    ///
    /// # Errors
    ///
    /// [`BundleError::Broken`] with the first pair.
    pub fn check_names<'t>(tools: impl IntoIterator<Item = &'t Tool>) -> Result<(), BundleError> {
        check_twins(tools.into_iter().map(|tool| tool.name.as_str())).map_err(|error| match error {
            BundleError::Broken { message, .. } => {
                BundleError::broken(message, "rename one of them in bundle.toml: tools = { old = \"new\" }")
            }
            other => other,
        })
    }
}

impl BundleComponent {
    /// The component's bytes, unpacked if they have to be; those that were unpacked are
    /// checked against the digest each time.
    ///
    /// # Errors
    ///
    /// [`BundleError::Changed`] if they are not what was pinned, [`BundleError::Broken`] if
    /// they cannot be unpacked.
    pub fn load(&self) -> Result<Arc<[u8]>, BundleError> {
        match &self.bytes {
            Bytes::Loaded(bytes) => Ok(Arc::clone(bytes)),
            Bytes::Lazy(unpack) => {
                let bytes = unpack().map_err(|why| {
                    BundleError::broken(
                        format!("component {} cannot be unpacked: {why}", self.name),
                        "install Handbox again",
                    )
                })?;
                let actual = Digest::of(&bytes);
                if actual != self.digest {
                    let what = format!("component {}", self.name);
                    return Err(BundleError::Changed { what, pinned: self.digest.clone(), actual });
                }
                Ok(bytes.into())
            }
        }
    }

    /// What is left of `granted` for this component, and what it misses. Without a manifest
    /// it is given nothing; if anything is granted, a gap says so.
    pub fn effective(&self, granted: &Grants) -> Effective {
        let mut effective = self.asks.effective(granted);
        if self.manifest.is_none() && *granted != Grants::default() {
            effective.gaps.push(Gap::unpacked(&self.name));
        }
        effective
    }

    /// The names by which other components of the bundle start it.
    pub fn programs(&self) -> &[String] {
        self.manifest.as_ref().map(|manifest| manifest.programs.as_slice()).unwrap_or_default()
    }

    /// When code is made of it, if others start it.
    pub fn compile(&self) -> Compile {
        self.manifest.as_ref().map_or(Compile::Ahead, |manifest| manifest.compile)
    }

    /// Whether it is there to be called, too, and not only to be started.
    pub fn has_tools(&self) -> bool {
        self.manifest.as_ref().is_none_or(|manifest| !manifest.tools.is_empty() || manifest.programs.is_empty())
    }

    /// Pairs of own name and tool as shown; `None` if only the component itself can say.
    ///
    /// # Errors
    ///
    /// As [`ToolChoice::apply`].
    pub fn known_tools(&self) -> Result<Option<Vec<(ToolName, Tool)>>, BundleError> {
        let manifest = self.manifest.as_ref();
        manifest.map(|manifest| self.tools.apply(&manifest.tools)).transpose()
    }
}

/// A bundle built into a program, described so that using it from a cache unpacks nothing.
#[derive(Clone, Debug)]
pub struct BundleSource {
    /// The name by which it is called, such as `std`.
    pub name: String,
    /// SemVer version.
    pub version: String,
    /// As [`Bundle::limits`].
    pub limits: LimitsPatch,
    /// Its components.
    pub components: Vec<ComponentSource>,
}

/// One component of a [`BundleSource`].
#[derive(Clone, Debug)]
pub struct ComponentSource {
    /// SHA-256 of the unpacked bytes, known when the program was built.
    pub digest: Digest,
    /// Which kind of hand it becomes.
    pub kind: Kind,
    /// The JSON of its manifest, the same as inside it.
    pub manifest: String,
    /// Its bytes.
    pub bytes: Bytes,
}

impl BundleSource {
    /// The bundle, ready to use. Unpacks nothing.
    ///
    /// # Errors
    ///
    /// [`BundleError::Broken`] if a manifest is not valid or tools have the same name.
    pub fn bundle(&self) -> Result<Bundle, BundleError> {
        let mut components = Vec::new();
        for source in &self.components {
            let manifest = parse_manifest(source.manifest.as_bytes()).map_err(|error| error.at(&self.name))?;
            components.push(BundleComponent {
                name: manifest.name.clone(),
                digest: source.digest.clone(),
                kind: source.kind,
                tools: ToolChoice::All,
                asks: manifest.asks.clone(),
                manifest: Some(manifest),
                bytes: source.bytes.clone(),
            });
        }
        let (name, version) = (self.name.clone(), self.version.clone());
        let bundle = Bundle { name, version, components, limits: self.limits, files: Vec::new(), links: Vec::new() };
        Bundle::check_names(&bundle.known_tools()?)?;
        Ok(bundle)
    }
}
