//! What a container's main process wrote.

use std::time::SystemTime;

use bollard::container::LogOutput;
use bollard::query_parameters::LogsOptionsBuilder;
use futures_util::{Stream, StreamExt};

use super::exec::Stream as Output;
use super::{Engine, Error};

/// Which part of it.
#[derive(Debug, Clone, Default)]
pub struct LogsRequest {
    /// Go on until the container ends.
    pub follow: bool,
    /// The last lines only.
    pub tail: Option<u64>,
    /// What was written since then only.
    pub since: Option<SystemTime>,
}

impl Engine {
    /// The pieces, as they were written.
    pub fn logs(
        &self,
        container: &str,
        request: &LogsRequest,
    ) -> impl Stream<Item = Result<(Output, Vec<u8>), Error>> + use<'_> {
        let mut options = LogsOptionsBuilder::default().stdout(true).stderr(true).follow(request.follow);
        let tail = request.tail.map(|lines| lines.to_string());
        options = options.tail(tail.as_deref().unwrap_or("all"));
        if let Some(since) = request.since {
            let seconds = since.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
            options = options.since(i32::try_from(seconds).unwrap_or(i32::MAX));
        }
        self.docker.logs(container, Some(options.build())).map(|piece| match piece {
            Ok(LogOutput::StdErr { message }) => Ok((Output::Err, message.into())),
            Ok(
                LogOutput::StdOut { message } | LogOutput::StdIn { message } | LogOutput::Console { message },
            ) => Ok((Output::Out, message.into())),
            Err(source) => Err(Error::api("read the container's log", source)),
        })
    }
}
