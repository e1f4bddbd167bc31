//! One decision, or a look at what it would be, which the engine carries out as a whole.

use guildhall_model::Rate;
use guildhall_ports::quotas::Count;
use redis::aio::MultiplexedConnection;
use redis::{RedisResult, Script};

/// A window is a number that ends by itself: the time is the engine's own. It is what
/// [`guildhall_model::Window::take`] does, which the suite of the port holds both to. What has no end
/// is not ours, and what ends later than it may was made for another rate, or before the engine's clock
/// was set.
const TAKE: &str = "
local count, length = tonumber(ARGV[1]), tonumber(ARGV[2])
local left = redis.call('PTTL', KEYS[1])
if left < 1 then
    redis.call('SET', KEYS[1], 1, 'PX', length)
    return {1, 1, length}
end
if left > length then
    redis.call('PEXPIRE', KEYS[1], length)
    left = length
end
if tonumber(redis.call('GET', KEYS[1])) >= count then
    return {0, count, left}
end
return {1, redis.call('INCR', KEYS[1]), left}
";

/// The same without the use: what has no end, or is over, would begin anew.
const LOOK: &str = "
local count, length = tonumber(ARGV[1]), tonumber(ARGV[2])
local left = redis.call('PTTL', KEYS[1])
if left < 1 then
    return {1, 0, length}
end
local used = tonumber(redis.call('GET', KEYS[1]))
return {used < count and 1 or 0, math.min(used, count), math.min(left, length)}
";

/// A script, as it is asked for by its digest.
pub(crate) struct Decision(Script);

impl Decision {
    /// Uses the window.
    pub(crate) fn take() -> Self {
        Self(Script::new(TAKE))
    }

    /// Only looks at it.
    pub(crate) fn look() -> Self {
        Self(Script::new(LOOK))
    }

    /// Has the engine decide. It is given the script first where it does not have it.
    pub(crate) async fn ask(
        &self,
        connection: &mut MultiplexedConnection,
        key: &str,
        rate: Rate,
    ) -> RedisResult<Count> {
        let mut call = self.0.key(key);
        call.arg(rate.count()).arg(rate.window_ms());
        let (is_allowed, used, left_ms) = call.invoke_async(connection).await?;
        Ok(Count {
            is_allowed,
            used,
            left_ms,
        })
    }
}
