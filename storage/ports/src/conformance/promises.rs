//! How an adapter takes a suite over: one test of its own for each promise.

/// Makes a test of each promise of a suite. `$fresh` names an async function that answers an
/// empty store, and whatever must live as long as the store.
#[macro_export]
macro_rules! promises {
    ($suite:ident, $fresh:path: $($promise:ident)*) => {$(
        #[tokio::test]
        async fn $promise() {
            let (store, _kept) = $fresh().await;
            $crate::conformance::$suite::$promise(store).await;
        }
    )*};
}
