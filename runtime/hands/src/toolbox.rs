//! Many hands as one: the tools of some bundles, by name.

use crate::environment::Environment;
use crate::hand::{ComponentHand, Recipe, keeps_nothing};
use crate::library::Library;
use crate::process::Programs;
use crate::reflect::Skipped;
use handbox_bundle::{Bundle, BundleComponent, BundleError};
use handbox_hand::{
    Audit, AuditError, Call, Egress, EgressEnd, Hand, HandError, Outcome, Output, Tool, ToolFault, ToolName,
};
use std::collections::HashMap;
use std::sync::Arc;

/// The tools of some bundles, each provisioned when it is first called.
pub struct Toolbox {
    library: Arc<Library>,
    tools: Vec<Tool>,
    routes: HashMap<ToolName, Route>,
    /// What hands may start, of each bundle that has any.
    programs: Vec<Arc<Programs>>,
}

struct Route {
    hand: Arc<ComponentHand>,
    /// The component's own name for the tool; a bundle may show another.
    own: ToolName,
}

/// Why a bundle could not be added.
#[derive(Debug, thiserror::Error)]
pub enum ToolboxError {
    /// The bundle is not usable, or clashes with another.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// A component could not be loaded to ask for its tools.
    #[error(transparent)]
    Hand(#[from] HandError),
}

impl Toolbox {
    /// An empty toolbox that loads its components through `library`.
    pub fn new(library: Arc<Library>) -> Self {
        Self { library, tools: Vec::new(), routes: HashMap::new(), programs: Vec::new() }
    }

    /// Adds the tools of `bundle`. Nothing is loaded here unless a component has no
    /// manifest, and nothing is added if anything fails.
    ///
    /// Each component gets at most what it asks for of `environment.grants`; the bundle's
    /// own limits can only narrow `environment.limits`.
    ///
    /// # Errors
    ///
    /// If two tools, of this bundle or of one added before, have the same name or names
    /// that differ only in case; or as loading.
    pub async fn add(&mut self, bundle: &Bundle, environment: &Environment) -> Result<(), ToolboxError> {
        let environment = Arc::new(environment.clone());
        let programs = self.programs(bundle, &environment);
        let mut added = Vec::new();
        for (index, component) in bundle.components.iter().enumerate().filter(|(_, component)| component.has_tools()) {
            let recipe = self.recipe(bundle, (index, component), &environment, programs.clone());
            let hand = Arc::new(ComponentHand::new(Arc::clone(&self.library), recipe).await?);
            for (own, tool) in component.tools.apply(hand.tools())? {
                added.push((tool, Route { hand: Arc::clone(&hand), own }));
            }
        }
        Bundle::check_names(self.tools.iter().chain(added.iter().map(|(tool, _)| tool)))?;
        self.programs.extend(programs);
        for (tool, route) in added {
            self.routes.insert(tool.name.clone(), route);
            self.tools.push(tool);
        }
        Ok(())
    }

    /// The bundle's programs; none if it has none.
    fn programs(&self, bundle: &Bundle, environment: &Arc<Environment>) -> Option<Arc<Programs>> {
        let mut programs = Programs::default();
        for (index, component) in bundle.components.iter().enumerate().filter(|(_, one)| !one.programs().is_empty()) {
            // Those that are started belong to the call, which has the programs already.
            let recipe = self.recipe(bundle, (index, component), environment, None);
            let program = Arc::new(ComponentHand::program(Arc::clone(&self.library), recipe));
            programs.0.extend(component.programs().iter().map(|name| (name.clone(), Arc::clone(&program))));
        }
        (!programs.0.is_empty()).then(|| Arc::new(programs))
    }

    fn recipe(
        &self,
        bundle: &Bundle,
        (index, component): (usize, &BundleComponent),
        environment: &Arc<Environment>,
        programs: Option<Arc<Programs>>,
    ) -> Recipe {
        Recipe {
            index,
            package: self.library.package(component),
            grants: component.effective(&environment.grants).grants,
            limits: environment.limits.narrowed_by(bundle.limits),
            environment: Arc::clone(environment),
            files: bundle.files.clone(),
            programs,
        }
    }

    /// Loads everything now that would be loaded on first calls, and compares every
    /// component with its manifest.
    ///
    /// # Errors
    ///
    /// The first failure.
    pub async fn warm(&self) -> Result<(), HandError> {
        for route in self.routes.values() {
            route.hand.ready().await?;
        }
        for program in self.programs.iter().flat_map(|programs| programs.0.values()) {
            program.ready().await?;
        }
        Ok(())
    }

    /// The exported functions that are no tools, and why, of what was loaded so far.
    pub fn left_out(&self) -> Vec<Skipped> {
        self.hands().into_iter().flat_map(|hand| hand.left_out()).cloned().collect()
    }

    /// Every hand that has a tool, once.
    fn hands(&self) -> Vec<&Arc<ComponentHand>> {
        let mut hands: Vec<&Arc<ComponentHand>> = Vec::new();
        for route in self.routes.values() {
            if !hands.iter().any(|hand| Arc::ptr_eq(hand, &route.hand)) {
                hands.push(&route.hand);
            }
        }
        hands
    }

    /// Gives the state of the one component that keeps some, to be passed to
    /// [`Self::restore_state`] of another toolbox of the same bundle. Its store stays.
    ///
    /// # Errors
    ///
    /// If none of the components keeps state, or more than one does; or as
    /// [`ComponentHand::save`].
    pub async fn save_state(&self) -> Result<Vec<u8>, HandError> {
        self.keeper()?.save().await
    }

    /// Starts a new incarnation of the one component that keeps state, from saved state.
    ///
    /// # Errors
    ///
    /// If none of the components keeps state, or more than one does; or as
    /// [`ComponentHand::restore`].
    pub async fn restore_state(&self, saved: Vec<u8>) -> Result<(), HandError> {
        self.keeper()?.restore(saved).await
    }

    /// Begins where another toolbox of the same bundle ended: with what its component kept that keeps state, or without. If
    /// several keep state, none begins with it. The first answer of each that keeps state says so.
    pub async fn resume(&self, kept: Option<Vec<u8>>) {
        let kept = kept.filter(|_| self.keeper().is_ok());
        for hand in self.hands() {
            hand.resume(kept.clone()).await;
        }
    }

    /// Whether a call of a tool may change what its component keeps.
    pub fn keeps_state(&self, tool: &ToolName) -> bool {
        self.routes.get(tool).is_some_and(|route| route.hand.keeps_state())
    }

    /// Whether the one component that keeps state had a store that is gone, with what it kept.
    pub fn lost_state(&self) -> bool {
        self.keeper().is_ok_and(|keeper| keeper.lost_state())
    }

    fn keeper(&self) -> Result<&Arc<ComponentHand>, HandError> {
        let mut keepers = self.hands().into_iter().filter(|hand| hand.keeps_state());
        match (keepers.next(), keepers.next()) {
            (Some(keeper), None) => Ok(keeper),
            (None, _) => Err(keeps_nothing()),
            (Some(_), Some(_)) => {
                let what = "several components of this hand keep state; it can be passed on if only one does";
                Err(HandError::Input(what.to_owned()))
            }
        }
    }

    /// The hand behind a tool.
    pub fn hand_of(&self, tool: &ToolName) -> Option<&Arc<ComponentHand>> {
        self.routes.get(tool).map(|route| &route.hand)
    }

    fn route(&self, call: Call) -> Result<(&ComponentHand, Call), HandError> {
        match self.routes.get(&call.name) {
            Some(route) if route.own == call.name => Ok((&route.hand, call)),
            Some(route) => {
                let audit = Arc::new(Shown { tool: call.name.to_string(), audit: Arc::clone(&call.audit) });
                Ok((&route.hand, Call { name: route.own.clone(), audit, ..call }))
            }
            None => Err(HandError::Tool(ToolFault::UnknownTool(call.name.to_string()))),
        }
    }
}

/// Tells an audit of a tool by the name that was called: the component knows its own alone.
struct Shown {
    tool: String,
    audit: Arc<dyn Audit>,
}

impl Shown {
    fn of(&self, egress: &Egress) -> Egress {
        Egress { tool: Some(self.tool.clone()), ..egress.clone() }
    }
}

#[async_trait::async_trait]
impl Audit for Shown {
    async fn decided(&self, egress: &Egress) -> Result<(), AuditError> {
        self.audit.decided(&self.of(egress)).await
    }

    fn ended(&self, egress: &Egress, end: &EgressEnd) {
        self.audit.ended(&self.of(egress), end);
    }
}

#[async_trait::async_trait]
impl Hand for Toolbox {
    fn tools(&self) -> &[Tool] {
        &self.tools
    }

    async fn execute(&self, call: Call) -> Result<Output, HandError> {
        let (hand, call) = self.route(call)?;
        hand.execute(call).await
    }

    async fn reconcile(&self, call: Call) -> Result<Outcome, HandError> {
        let (hand, call) = self.route(call)?;
        hand.reconcile(call).await
    }
}
