//! Over connections to the loopback that stay open: what a client of a service causes there. The client's own work is not
//! counted.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    thread,
    time::Duration,
};

use cpu_time::{ProcessTime, ThreadTime};

use crate::{
    protocol, request,
    service::{Service, Work},
};

const CLIENTS: u32 = 2;
const CONNECTIONS: u32 = 8;
/// Over each connection, one after the other.
const ROUNDS: u32 = 1_000;
const WARM_UP: u32 = 100;

/// Processor time for each request, less that of the clients.
pub(crate) fn sample<S: Service>(work: Work) -> Duration {
    let runtime = protocol::runtime();
    let service = runtime.block_on(S::new(work));
    let address = runtime.block_on(service.serve());

    let mut clients: Vec<_> = (0..CLIENTS).map(|_| Client::connect(address)).collect();
    side_by_side(&mut clients, WARM_UP);
    let began = ProcessTime::now();
    let by_clients = side_by_side(&mut clients, ROUNDS);
    runtime.block_on(service.finish());
    let by_all = began.elapsed();
    (by_all - by_clients.into_iter().sum::<Duration>()) / (CLIENTS * CONNECTIONS * ROUNDS)
}

/// All clients at once, each on a thread; answers with the processor time of each.
fn side_by_side(clients: &mut [Client], rounds: u32) -> Vec<Duration> {
    thread::scope(|scope| {
        let running: Vec<_> = clients.iter_mut().map(|it| scope.spawn(move || it.run(rounds))).collect();
        running.into_iter().map(|it| it.join().expect("a client")).collect()
    })
}

/// Some connections that always have one request on the way.
struct Client {
    connections: Vec<TcpStream>,
    request: Vec<u8>,
}

impl Client {
    fn connect(address: SocketAddr) -> Self {
        let connect = |_| {
            let connection = TcpStream::connect(address).expect("a connection");
            connection.set_nodelay(true).expect("no delay");
            connection
        };
        Self { connections: (0..CONNECTIONS).map(connect).collect(), request: request::on_the_wire() }
    }

    fn run(&mut self, rounds: u32) -> Duration {
        let began = ThreadTime::now();
        let mut answer = [0; 4_096];
        for _ in 0..rounds {
            for connection in &mut self.connections {
                connection.write_all(&self.request).expect("the request is sent");
            }
            for connection in &mut self.connections {
                read_answer(connection, &mut answer);
            }
        }
        began.elapsed()
    }
}

/// Reads one answer to its end.
fn read_answer(connection: &mut TcpStream, buffer: &mut [u8]) {
    let mut read = 0;
    loop {
        let more = connection.read(&mut buffer[read..]).expect("an answer");
        assert!(more > 0, "the service closed the connection");
        read += more;
        if let Some(length) = length(&buffer[..read]) {
            assert!(buffer.starts_with(b"HTTP/1.1 202 "), "{}", String::from_utf8_lossy(&buffer[..read]));
            if read >= length {
                assert_eq!(read, length, "more than one answer");
                return;
            }
        }
    }
}

/// How long an answer is, as soon as its head is there.
fn length(answer: &[u8]) -> Option<usize> {
    let head = answer.windows(4).position(|it| it == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&answer[..head]).expect("a head is text").to_ascii_lowercase();
    let (_, rest) = text.split_once("content-length:").expect("an answer of known length");
    let digits = rest.lines().next().unwrap_or_default().trim();
    Some(head + digits.parse::<usize>().expect("a length"))
}
