//! A real browser, asked through its driver: Debian's Chromium, and WebDriver's protocol over our own HTTP client.

use super::filegen::in_time;
use super::http::Http;
use super::running::{Running, until};
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A folder for pictures of what the tests saw, for people.
const PICTURES: &str = "FILEGEN_SCREENSHOTS";

/// WebDriver's keys.
pub const TAB: &str = "\u{e004}";
pub const ENTER: &str = "\u{e007}";
pub const ESCAPE: &str = "\u{e00c}";
pub const SPACE: &str = " ";
pub const LEFT: &str = "\u{e012}";
pub const RIGHT: &str = "\u{e014}";
const SHIFT: &str = "\u{e008}";

/// What axe-core finds in the page that keeps some people from using it: a line for each element.
const BROKEN: &str = "
    const done = arguments[arguments.length - 1];
    const grave = ['serious', 'critical'];
    axe.run(document, { resultTypes: ['violations'] }).then(found => done(found.violations
        .filter(rule => grave.includes(rule.impact))
        .flatMap(rule => rule.nodes.map(node => `${rule.id}: ${node.failureSummary} ${node.html}`))),
        error => done([String(error)]));";

/// A window without a screen. Closed with the test.
pub struct Browser {
    driver: Http,
    session: String,
    // Ends behind the session.
    _process: Running,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// An empty window.
    pub fn open() -> Self {
        let process = Running::start(Command::new("chromedriver").arg("--port=0"));
        let port = until("the driver's port (`tests/run` installs Chromium)", || {
            let shown = process.shown();
            shown
                .lines()
                .find_map(|line| line.split_once("started successfully on port ")?.1.trim_end_matches('.').parse().ok())
        });
        let profile = tempfile::tempdir().expect("a folder for the browser");
        let folder = format!("--user-data-dir={}", profile.path().display());
        let options = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
            &folder,
        ];
        let wanted = json!({ "capabilities": { "alwaysMatch": { "goog:chromeOptions": { "args": options } } } });
        let driver = Http::at(port);
        let begun = driver.post("/session", "application/json", &wanted.to_string()).json();
        let session = begun["value"]["sessionId"].as_str().unwrap_or_else(|| panic!("no session: {begun}")).to_owned();
        Self { driver, session, _process: process, _profile: profile }
    }

    /// Asks the driver for something of this window.
    #[track_caller]
    fn ask(&self, path: &str, what: &Value) -> Value {
        let path = format!("/session/{}/{path}", self.session);
        let answer = self.driver.post(&path, "application/json", &what.to_string());
        assert_eq!(answer.code, 200, "{path} {what}: {}", answer.body);
        answer.json()["value"].take()
    }

    /// Goes to a page, and waits until it is there.
    #[track_caller]
    pub fn go(&self, url: &str) {
        self.ask("url", &json!({ "url": url }));
    }

    /// What a script returns in the page.
    #[track_caller]
    pub fn script(&self, script: &str) -> Value {
        self.ask("execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// What a person sees of an element, as text.
    #[track_caller]
    pub fn text(&self, selector: &str) -> String {
        let found = self.script(&format!("return document.querySelector({selector:?})?.innerText"));
        found.as_str().unwrap_or_else(|| panic!("there is no {selector}")).to_owned()
    }

    /// Presses the tabulator.
    pub fn tab(&self) {
        self.press(TAB);
    }

    /// Presses the tabulator with Shift.
    pub fn back(&self) {
        let key = |what: &str, key: &str| json!({ "type": what, "value": key });
        self.keys(&[key("keyDown", SHIFT), key("keyDown", TAB), key("keyUp", TAB), key("keyUp", SHIFT)]);
    }

    /// Presses keys, one behind the other: letters, and those above.
    pub fn press(&self, keys: &str) {
        let press = |key: char| ["keyDown", "keyUp"].map(|what| json!({ "type": what, "value": key }));
        self.keys(&keys.chars().flat_map(press).collect::<Vec<_>>());
    }

    fn keys(&self, actions: &[Value]) {
        self.ask("actions", &json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": actions }] }));
    }

    /// What of the page breaks the rules for people with a screen reader, or without a mouse, in a serious way. The rules are axe-core's.
    #[track_caller]
    pub fn broken_rules(&self) -> Vec<String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folder = root.join("target/test-servers/axe");
        let done = in_time(Command::new(root.join("tests/servers/axe/fetch")).arg(&folder));
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let rules = std::fs::read_to_string(folder.join("node_modules/axe-core/axe.min.js")).expect("the rules");
        self.script(&rules);
        let found = self.ask("execute/async", &json!({ "script": BROKEN, "args": [] }));
        serde_json::from_value(found).expect("a list of lines")
    }

    /// Asks the browser itself.
    fn devtools(&self, command: &str, params: &Value) {
        self.ask("goog/cdp/execute", &json!({ "cmd": command, "params": params }));
    }

    /// Makes the window as wide as a screen of so many pixels.
    pub fn width(&self, pixels: u32) {
        let screen = json!({ "width": pixels, "height": 900, "deviceScaleFactor": 1, "mobile": pixels < 600 });
        self.devtools("Emulation.setDeviceMetricsOverride", &screen);
    }

    /// Prefers `light` or `dark` pages.
    pub fn scheme(&self, name: &str) {
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": name }] });
        self.devtools("Emulation.setEmulatedMedia", &features);
    }

    /// Keeps a picture of the page, where somebody wants pictures.
    pub fn picture(&self, name: &str, pixels: u32) {
        let Some(folder) = std::env::var_os(PICTURES).map(PathBuf::from) else { return };
        let height = self.script("return document.documentElement.scrollHeight");
        let screen = json!({ "width": pixels, "height": height, "deviceScaleFactor": 1, "mobile": pixels < 600 });
        self.devtools("Emulation.setDeviceMetricsOverride", &screen);
        let path = format!("/session/{}/screenshot", self.session);
        let coded = self.driver.get(&path).json()["value"].as_str().expect("a picture").to_owned();
        std::fs::create_dir_all(&folder).expect("the folder is made");
        let file = std::fs::File::create(folder.join(format!("{name}.png"))).expect("the picture is kept");
        let mut decode = Command::new("base64").arg("-d").stdin(Stdio::piped()).stdout(file).spawn().expect("it runs");
        decode.stdin.take().expect("it is piped").write_all(coded.as_bytes()).expect("it reads");
        assert!(decode.wait().expect("it ends").success());
        self.width(pixels);
    }
}

impl Drop for Browser {
    /// The driver closes the window, and the browser's processes end with it.
    fn drop(&mut self) {
        let path = format!("/session/{}", self.session);
        let asked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            self.driver.send(self.driver.request("DELETE", &path), ())
        }));
        drop(asked);
    }
}
