//! How an adapter takes a suite over: one test of its own for each promise.

/// What a suite runs on, if there is one: an adapter whose engine does not run has nothing, says
/// so loudly, and its tests end before they have begun.
pub trait Fresh<S, K> {
    /// An empty store and whatever must live as long as it.
    fn fresh(self) -> Option<(S, K)>;
}

impl<S, K> Fresh<S, K> for (S, K) {
    fn fresh(self) -> Option<(S, K)> {
        Some(self)
    }
}

impl<S, K> Fresh<S, K> for Option<(S, K)> {
    fn fresh(self) -> Option<(S, K)> {
        self
    }
}

/// Makes a test of each promise of a suite. `$fresh` names an async function that answers an
/// empty store, and whatever must live as long as the store; or that, if there is any.
#[macro_export]
macro_rules! promises {
    ($suite:ident, $fresh:path: $($promise:ident)*) => {$(
        #[tokio::test]
        async fn $promise() {
            let Some((store, _kept)) = $crate::conformance::Fresh::fresh($fresh().await) else {
                return;
            };
            $crate::conformance::$suite::$promise(store).await;
        }
    )*};
}
