//! Reports made by hand, and a host that gives them out.

use std::io::{Cursor, Write as _};
use std::sync::{Arc, Mutex};

use rust_xlsxwriter::Workbook;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// A host that answers every request with the same file, and keeps the heads of the requests.
pub struct Spy {
    url: String,
    heads: Arc<Mutex<Vec<String>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Spy {
    pub async fn start() -> Self {
        Self::with(b"{}".to_vec()).await
    }

    pub async fn with(file: Vec<u8>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let heads: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = Arc::clone(&heads);
        let task = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let head = answer(socket, &file).await;
                kept.lock().expect("a sound lock").push(head);
            }
        });
        Self { url, heads, task }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().expect("a sound lock").clone()
    }
}

impl Drop for Spy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Reads one request to its end, answers it, and gives its head.
async fn answer(mut socket: TcpStream, file: &[u8]) -> String {
    let mut request = Vec::new();
    let (head, length) = loop {
        let mut piece = [0; 4096];
        let count = socket.read(&mut piece).await.expect("a request");
        assert!(count > 0, "it ends within its head");
        request.extend_from_slice(&piece[..count]);
        if let Some(end) = request.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&request[..end]).into_owned();
            let length =
                head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
            break (head, end + 4 + length.unwrap_or(0));
        }
    };
    while request.len() < length {
        let mut piece = [0; 4096];
        let count = socket.read(&mut piece).await.expect("a body");
        request.extend_from_slice(&piece[..count]);
    }
    let answer = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", file.len());
    // A client that has read enough hangs up.
    let _ = socket.write_all(answer.as_bytes()).await;
    let _ = socket.write_all(file).await;
    head
}

/// A report of these sheets, each of rows of texts.
pub fn report(sheets: &[(&str, &[&[&str]])]) -> Vec<u8> {
    let mut workbook = Workbook::new();
    for (name, rows) in sheets {
        let sheet = workbook.add_worksheet().set_name(*name).expect("a name");
        for (line, row) in (0..).zip(*rows) {
            for (column, text) in (0..).zip(*row) {
                sheet.write_string(line, column, *text).expect("a cell");
            }
        }
    }
    workbook.save_to_buffer().expect("a workbook")
}

/// A workbook of one sheet `Results` that is this XML.
pub fn raw(sheet: &[u8]) -> Vec<u8> {
    let relation = |id: &str, kind: &str, target: &str| {
        format!("<Relationship Id='{id}' Type='http://example.com/relationships/{kind}' Target='{target}'/>")
    };
    let root = relation("rId1", "officeDocument", "xl/workbook.xml");
    let below = relation("rId1", "worksheet", "worksheets/sheet1.xml");
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (path, content) in [
        ("_rels/.rels", format!("<Relationships>{root}</Relationships>").as_bytes()),
        ("xl/_rels/workbook.xml.rels", format!("<Relationships>{below}</Relationships>").as_bytes()),
        (
            "xl/workbook.xml",
            b"<workbook xmlns:r='r'><sheets><sheet name='Results' sheetId='1' r:id='rId1'/></sheets></workbook>",
        ),
        ("xl/worksheets/sheet1.xml", sheet),
    ] {
        zip.start_file(path, SimpleFileOptions::default()).expect("a zip");
        zip.write_all(content).expect("a zip");
    }
    zip.finish().expect("a zip").into_inner()
}

/// An id as the vendor gives them.
pub fn id(number: u32) -> String {
    format!("CHK{number:032x}").replace("CHK0", "CHKa")
}
