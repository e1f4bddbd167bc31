//! The WebSocket listener and its connections: the session protocol over sockets.
