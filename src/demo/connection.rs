//! Connections that can be cut: a listener for axum whose streams end when they are told to.

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// The open connections of a listener.
#[derive(Clone, Debug, Default)]
pub(super) struct Connections(Arc<Mutex<CancellationToken>>);

impl Connections {
    /// Ends all that are open; new ones may come.
    pub fn cut(&self) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *all).cancel();
    }

    fn one_more(&self) -> CancellationToken {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .child_token()
    }
}

/// A listener on loopback whose connections can be cut.
pub(super) struct Cuttable {
    listener: TcpListener,
    connections: Connections,
}

/// One connection, as a handler sees it.
#[derive(Clone, Debug)]
pub(super) struct Connection(CancellationToken);

/// The stream of one connection.
pub(super) struct Stream {
    stream: TcpStream,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Cuttable {
    /// Listens on a free port of 127.0.0.1.
    pub async fn bind(connections: Connections) -> io::Result<Self> {
        Ok(Self {
            listener: TcpListener::bind(("127.0.0.1", 0)).await?,
            connections,
        })
    }

    pub fn port(&self) -> io::Result<u16> {
        Ok(self.listener.local_addr()?.port())
    }
}

impl Connection {
    /// Ends the connection at once, with whatever is unsent.
    pub fn cut(&self) {
        self.0.cancel();
    }
}

impl Listener for Cuttable {
    type Io = Stream;
    type Addr = Connection;

    async fn accept(&mut self) -> (Stream, Connection) {
        let (stream, _) = Listener::accept(&mut self.listener).await;
        // Watch events are small and must not wait for an acknowledgement. That it cannot be set
        // costs time only.
        let _ = stream.set_nodelay(true);
        let token = self.connections.one_more();
        let cut = Box::pin(token.clone().cancelled_owned());
        (Stream { stream, cut }, Connection(token))
    }

    fn local_addr(&self) -> io::Result<Connection> {
        Ok(Connection(CancellationToken::new()))
    }
}

impl Connected<IncomingStream<'_, Cuttable>> for Connection {
    fn connect_info(stream: IncomingStream<'_, Cuttable>) -> Self {
        stream.remote_addr().clone()
    }
}

impl Stream {
    /// Refuses if cut, and wakes the task when it is.
    fn check(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        match self.cut.as_mut().poll(context) {
            Poll::Ready(()) => Err(io::ErrorKind::ConnectionReset.into()),
            Poll::Pending => Ok(()),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check(context)?;
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check(context)?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check(context)?;
        Pin::new(&mut self.stream).poll_write_vectored(context, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
