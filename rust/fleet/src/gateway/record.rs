// SPDX-License-Identifier: Apache-2.0
//! What the state folder holds of a device.

use serde::{Deserialize, Serialize};

use super::artifacts::Source;
use super::ddi::{self, Action as Asked, Chunk};

/// Largest number of software modules in an action.
const PARTS_MAX: usize = 32;

/// A device's record.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Record {
    /// Name of the device.
    pub name: String,
    /// The action that the device is in.
    pub action: Option<Action>,
}

/// An action.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Action {
    /// Its id on the server.
    pub id: String,
    /// Its apps, in the order in which they are installed.
    pub parts: Vec<Part>,
    /// Outcome that the server has not taken yet.
    pub verdict: Option<Verdict>,
}

/// An app of an action.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Part {
    /// Name and version of the software module.
    pub module: String,
    /// Its image.
    pub source: Source,
    /// Step that it has reached.
    pub step: Step,
}

/// Step of an app of an action.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// The device knows nothing of the image.
    Waiting,
    /// The device may have got the image, or a part of it.
    Sending(Installed),
    /// The device has accepted the image.
    Trial(Installed),
    /// The device keeps the image.
    Kept(Installed),
}

/// An image on a device.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Installed {
    /// Name of the app.
    pub app: String,
    /// Version of the app.
    pub version: String,
    /// First eight bytes of the image's SHA-256.
    pub sha: [u8; 8],
}

/// Outcome of an action.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Verdict {
    /// All apps are kept.
    pub success: bool,
    /// A line for each app: what happened.
    pub details: Vec<String>,
}

impl Action {
    /// Returns the record of an action that was not begun.
    ///
    /// # Errors
    /// The action has no apps, or a software module is none of an app.
    pub fn of(asked: &Asked) -> Result<Self, String> {
        let count = asked.deployment.chunks.len();
        if count > PARTS_MAX {
            return Err(format!(
                "the action has {count} software modules, at most {PARTS_MAX} are taken; make several actions"
            ));
        }
        let parts = asked.deployment.chunks.iter().map(part).collect::<Result<Vec<_>, _>>()?;
        if parts.is_empty() {
            return Err("the action has no software module; assign a distribution set with one for each app".into());
        }
        Ok(Self { id: asked.id.clone(), parts, verdict: None })
    }

    /// Returns how many apps are kept, of how many.
    pub fn done(&self) -> (usize, usize) {
        (self.parts.iter().filter(|part| matches!(part.step, Step::Kept(_))).count(), self.parts.len())
    }
}

/// Returns the record of a software module: the only file that is an image or an archive with one.
fn part(chunk: &Chunk) -> Result<Part, String> {
    let module = ddi::shown(&format!("{} {}", chunk.name, chunk.version));
    let is_image = |file: &str| file.ends_with(".wisp") || file.ends_with(".swu");
    let images: Vec<_> = chunk.artifacts.iter().filter(|artifact| is_image(&artifact.filename)).collect();
    match images[..] {
        [artifact] => {
            let source = Source::of(artifact).map_err(|words| format!("{module}: {words}"))?;
            Ok(Part { module, source, step: Step::Waiting })
        }
        _ => Err(format!(
            "{module}: the software module has {} artifacts that end with .wisp or .swu; expected one",
            images.len()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::artifacts::Hash;

    fn asked(artifacts: &str) -> Asked {
        let text = format!(
            "{{\"id\": \"7\", \"deployment\": {{\"download\": \"forced\", \"update\": \"forced\", \"chunks\": [{{\
             \"part\": \"bApp\", \"name\": \"lamp\", \"version\": \"1.0.0\", \"artifacts\": [{artifacts}]}}]}}}}"
        );
        serde_json::from_str(&text).unwrap()
    }

    fn artifact(file: &str, hashes: &str, size: u64) -> String {
        format!(
            "{{\"filename\": \"{file}\", \"hashes\": {hashes}, \"size\": {size}, \
             \"_links\": {{\"download\": {{\"href\": \"https://a/b\"}}, \"md5sum\": {{\"href\": \"https://a/c\"}}}}}}"
        )
    }

    #[test]
    fn the_image_of_a_module_is_its_only_file_with_that_ending() {
        let (sha256, sha1) = ("A".repeat(64), "b".repeat(40));
        let both = format!("{{\"sha1\": \"{sha1}\", \"md5\": \"c\", \"sha256\": \"{sha256}\"}}");
        let files = [artifact("notes.txt", "{}", 1), artifact("lamp.wisp", &both, 99)].join(",");
        let action = Action::of(&asked(&files)).unwrap();
        let source = &action.parts[0].source;
        assert_eq!((&*action.id, &*action.parts[0].module), ("7", "lamp 1.0.0"));
        assert_eq!((&*source.file, &*source.href, source.size), ("lamp.wisp", "https://a/b", 99));
        assert_eq!(source.hash, Hash::Sha256("a".repeat(64)));
        let old = Action::of(&asked(&artifact("lamp.swu", &format!("{{\"sha1\": \"{sha1}\"}}"), 1))).unwrap();
        assert_eq!(old.parts[0].source.hash, Hash::Sha1(sha1));
    }

    #[test]
    fn an_action_without_an_image_is_refused_in_words() {
        let hash = format!("{{\"sha256\": \"{}\"}}", "a".repeat(64));
        let two = [artifact("a.wisp", &hash, 1), artifact("b.wisp", &hash, 1)].join(",");
        for (artifacts, words) in [
            (String::new(), "lamp 1.0.0: the software module has 0 artifacts"),
            (artifact("lamp.bin", &hash, 1), "has 0 artifacts that end with .wisp or .swu; expected one"),
            (two, "has 2 artifacts"),
            (artifact("lamp.wisp", "{}", 1), "names no SHA-256"),
            (artifact("lamp.wisp", "{\"sha256\": \"../../../etc/passwd\"}", 1), "names no SHA-256"),
            (artifact("lamp.wisp", &hash, 1 << 40), "at most 16777216 are taken"),
        ] {
            let error = Action::of(&asked(&artifacts)).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
        let nothing: Asked = serde_json::from_str("{\"id\": 1, \"deployment\": {}}").unwrap();
        assert!(Action::of(&nothing).unwrap_err().contains("no software module"));
    }
}
