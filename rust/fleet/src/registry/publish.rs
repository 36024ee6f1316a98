// SPDX-License-Identifier: Apache-2.0
//! `wisp publish`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;
use serde_json::Value;

use crate::failure::Failure;
use crate::output::Form;
use crate::registry::app::{self, native_platform, portable_platform, target_name, App, Identity};
use crate::registry::bill;
use crate::registry::blob::Blob;
use crate::registry::credentials::Access;
use crate::registry::documents::{json, media, note, Artifact, Descriptor, Index, Platform};
use crate::registry::place::Place;
use crate::registry::provenance::{self, Facts, Origin};
use crate::registry::remote::{Content, Remote};
use crate::registry::source::Source;

/// Put an app into an OCI registry: its images, its bill of materials, and how it was made
#[derive(Args)]
pub struct Arguments {
    /// REGISTRY/NAME, with :TAG for one more tag. The version of the app is always a tag
    reference: String,
    /// Images of one version of the app: with IR, or for different machines
    #[arg(required = true)]
    images: Vec<PathBuf>,
    /// The module or component that the images were made from
    #[arg(long, value_name = "FILE")]
    wasm: Option<PathBuf>,
    /// The `--heap` that `wisp build` had, if the file of --wasm is a composed component
    #[arg(long, value_name = "BYTES", default_value_t = 0, requires = "wasm")]
    heap: u32,
    /// Report of `wisp build --json`, for the provenance (may be given several times)
    #[arg(long, value_name = "FILE")]
    facts: Vec<PathBuf>,
    /// Bill of materials as CycloneDX JSON, in place of the one that is made of the images and the module
    #[arg(long, value_name = "FILE")]
    sbom: Option<PathBuf>,
    /// Address of the sources' repository, for the provenance
    #[arg(long, value_name = "URL")]
    source: Option<String>,
    /// Commit of the sources, for the provenance
    #[arg(long, value_name = "COMMIT")]
    revision: Option<String>,
    /// Publish images that nobody signed
    #[arg(long)]
    unsigned: bool,
    /// Replace other content that this version has in the registry
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    access: Access,
}

/// Everything that is uploaded: documents with the blobs that they name.
#[derive(Debug)]
pub struct Plan {
    /// The version, which is a tag.
    version: String,
    /// Bytes and digest of the manifest of each form, and their blobs.
    pub artifacts: Vec<(Vec<u8>, Descriptor, Vec<Blob>)>,
    /// The index.
    pub index: (Vec<u8>, Descriptor),
    /// The documents about the index.
    pub attachments: Vec<Artifact>,
}

/// The documents about an app.
#[derive(Debug)]
pub struct Said {
    /// The bill of materials.
    pub bill: Value,
    /// The provenance.
    pub provenance: Value,
}

#[derive(Serialize)]
struct Report {
    reference: String,
    digest: String,
    tags: Vec<String>,
    name: String,
    version: String,
    rollback: u32,
    key: Option<String>,
    targets: Vec<String>,
    portable: bool,
    sent: usize,
    unchanged: bool,
}

/// Returns an identity in words.
fn words(identity: &Identity) -> String {
    let Identity { name, version, rollback, wasm, .. } = identity;
    format!("{name} {version} with rollback counter {rollback}, of the module {wasm}")
}

/// Checks that images are those of one version of one app, signed by one key.
pub fn agree(apps: &[App], unsigned: bool) -> Result<(), Failure> {
    let first = &apps[0];
    for app in apps {
        let failed = |text: &str| Err(Failure::in_file(&app.path, text));
        let (one, other) = (words(&first.identity), words(&app.identity));
        if one != other {
            let text = format!("{other} is not what {} is: {one}", first.path.display());
            return failed(&(text + "; publish one version of one app at a time"));
        }
        if app.identity.key.is_none() && !unsigned {
            return failed("the image is not signed, and devices refuse it; run `wisp sign`, or give --unsigned");
        }
        if first.identity.key != app.identity.key {
            let text =
                format!("another key signed than that of {}; sign all images with one key", first.path.display());
            return failed(&text);
        }
    }
    Ok(())
}

impl Plan {
    /// Makes the documents.
    ///
    /// # Errors
    /// Two images have native code for the same machine.
    pub fn new(apps: &[App], source: Option<&Source>, said: &Said, origin: &Origin) -> Result<Self, Failure> {
        let identity = &apps[0].identity;
        let forms = forms(apps, source)?;
        let mut artifacts = Vec::new();
        let mut entries = Vec::new();
        for (artifact, platform) in forms {
            let (bytes, descriptor) = artifact.described(Some(platform));
            entries.push(descriptor.clone());
            artifacts.push((bytes, descriptor, artifact.blobs));
        }
        let mut notes = identity.notes();
        notes.extend(origin.source.clone().map(|source| (note::SOURCE.into(), source)));
        notes.extend(origin.revision.clone().map(|commit| (note::REVISION.into(), commit)));
        let bytes = json(&Index::of(Some(media::APP), entries, notes));
        let descriptor = Descriptor::of(media::INDEX, &bytes);
        let attach = |media_type, title: &str, document: &Value| {
            Artifact::about(descriptor.clone(), title, Blob { media_type, bytes: json(document) })
        };
        let attachments = vec![
            attach(media::CYCLONEDX, &format!("{}.cdx.json", identity.name), &said.bill),
            attach(media::IN_TOTO, &format!("{}.intoto.json", identity.name), &said.provenance),
        ];
        Ok(Self { version: identity.version.clone(), artifacts, index: (bytes, descriptor), attachments })
    }

    /// Returns the tag that names version and content, by which two publishers of one version see each other.
    pub fn claim(&self) -> String {
        format!("{}{}", claims(&self.version), self.index.1.digest.trim_start_matches("sha256:"))
    }

    /// Publishes, unless the version has other content already. Returns the number of bytes of blobs that were sent, and
    /// whether the version had this content.
    async fn publish(&self, remote: &Remote, force: bool) -> Result<(usize, bool), Failure> {
        let what = remote.place().name_of(&self.version);
        let digest = &self.index.1.digest;
        let present = remote.document(&self.version).await?.map(|present| present.digest);
        let unchanged = present.as_ref() == Some(digest);
        if let Some(present) = present.filter(|_| !unchanged && !force) {
            let text = format!(
                "this version has other content in the registry ({present}), and who has it would not notice; raise the \
                 version, or replace it with --force"
            );
            return Err(Failure::new(format!("{what}: {text}")));
        }
        // of an earlier attempt a part may be missing
        let sent = self.upload(remote, force || unchanged).await?;
        if let Some(tag) = remote.place().tag.as_ref().filter(|tag| **tag != self.version) {
            remote.put_document(tag, media::INDEX, &self.index.0).await?;
        }
        let now = remote.document(&self.version).await?.map(|document| document.digest);
        if now.as_ref() != Some(digest) {
            let text = "somebody else replaced this version at the same time; agree with them, and publish again";
            return Err(Failure::new(format!("{what}: {text}")));
        }
        Ok((sent, unchanged))
    }

    /// Uploads everything that the registry does not have, and returns the number of bytes of blobs. The version's tag
    /// comes last: who sees it sees all of the app.
    async fn upload(&self, remote: &Remote, force: bool) -> Result<usize, Failure> {
        let (index, described) = &self.index;
        let mut sent = 0;
        for (bytes, descriptor, blobs) in &self.artifacts {
            for blob in blobs {
                sent += remote.put_blob(blob).await?;
            }
            remote.put_document(&descriptor.digest, media::MANIFEST, bytes).await?;
        }
        let claim = self.claim();
        remote.put_document(&claim, media::INDEX, index).await?;
        if !force {
            self.alone(remote, &claim).await?;
        }
        for attachment in &self.attachments {
            for blob in &attachment.blobs {
                sent += remote.put_blob(blob).await?;
            }
            attach(remote, &described.digest, attachment).await?;
        }
        remote.put_document(&self.version, media::INDEX, index).await?;
        Ok(sent)
    }

    /// Checks that nobody else publishes this version. Each publisher leaves its tag before it looks for those of
    /// others, so at least one of two sees the other.
    async fn alone(&self, remote: &Remote, claim: &str) -> Result<(), Failure> {
        let tags = remote.tags(&claims(&self.version)).await?;
        let Some(other) = tags.iter().find(|tag| *tag != claim) else { return Ok(()) };
        let text = format!(
            "somebody else publishes other content of this version, or tried to: the registry has the tag {other}; raise the \
             version, or replace it with --force"
        );
        Err(Failure::new(format!("{}: {text}", remote.place().name_of(&self.version))))
    }
}

/// Returns an image as an artifact.
fn image(app: &App, target: &str) -> Artifact {
    let mut notes = app.identity.notes();
    notes.insert(note::TARGET.into(), target.into());
    let file = Blob { media_type: media::IMAGE, bytes: app.bytes.clone() };
    Artifact::wasm("wisp", Some(media::IMAGE), &app.title(), file, notes)
}

/// Returns the forms of an app: one that runs everywhere, one for each machine, and the module. The signature covers all
/// sections of an image. So an image with several sections is the file of several forms, and is stored once.
fn forms(apps: &[App], source: Option<&Source>) -> Result<Vec<(Artifact, Platform)>, Failure> {
    let mut forms = Vec::new();
    // the image with the fewest bytes beside its IR
    if let Some(app) = apps.iter().filter(|app| app.portable).min_by_key(|app| app.bytes.len()) {
        forms.push((image(app, "portable"), portable_platform()));
    }
    let mut seen: Vec<(String, &Path)> = Vec::new();
    for (app, target) in apps.iter().flat_map(|app| app.targets.iter().map(move |target| (app, *target))) {
        let name = target_name(target);
        if let Some((_, other)) = seen.iter().find(|(seen, _)| *seen == name) {
            let text = format!("has native code for {name}, as {} has; publish one of them", other.display());
            return Err(Failure::in_file(&app.path, text));
        }
        forms.push((image(app, &name), native_platform(target)));
        seen.push((name, &app.path));
    }
    if let Some(source) = source {
        let file = Blob { media_type: media::WASM, bytes: source.bytes.clone() };
        let os = source.os();
        let platform = Platform { architecture: "wasm".into(), os: os.into(), os_version: None, variant: None };
        forms.push((Artifact::wasm(os, None, &source.title, file, apps[0].identity.notes()), platform));
    }
    Ok(forms)
}

/// Returns the beginning of the tags that name content of a version.
fn claims(version: &str) -> String {
    format!("{version}-sha256.")
}

/// Stores an attachment. A registry that does not list attachments by itself gets the list as a document under a tag
/// that the digest gives, as OCI 1.1 describes.
async fn attach(remote: &Remote, digest: &str, attachment: &Artifact) -> Result<(), Failure> {
    let (bytes, descriptor) = attachment.described(None);
    let noted = remote.put_document(&descriptor.digest, media::MANIFEST, &bytes).await?;
    if noted || remote.referrers(digest).await?.is_some() {
        return Ok(());
    }
    let tag = digest.replace(':', "-");
    let mut list = match remote.document(&tag).await?.map(|document| document.content()) {
        Some(Ok(Content::Index(index))) => index,
        _ => Index::of(None, Vec::new(), Default::default()),
    };
    if list.manifests.contains(&descriptor) {
        return Ok(());
    }
    list.manifests.push(descriptor);
    remote.put_document(&tag, media::INDEX, &json(&list)).await.map(|_| ())
}

/// Reads a bill of materials that somebody else made.
fn foreign_bill(path: &Path) -> Result<Value, Failure> {
    let wrong = |what: String| Failure::in_file(path, what + "; expected a bill of materials as CycloneDX JSON");
    let bill: Value = serde_json::from_slice(&app::read(path)?).map_err(|error| wrong(error.to_string()))?;
    match bill["bomFormat"] == "CycloneDX" {
        true => Ok(bill),
        false => Err(wrong("it has no member `bomFormat` with the value `CycloneDX`".into())),
    }
}

/// Checks that a tag does not look like another version.
pub fn check_tag(place: &Place, version: &str) -> Result<(), Failure> {
    let digits =
        |tag: &str| tag.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') && tag.matches('.').count() == 2;
    match &place.tag {
        Some(tag) if tag != version && (digits(tag) || tag.contains("-sha256.") || tag.starts_with("sha256-")) => {
            let text =
                format!("the images are of version {version}; leave the tag out, or give a name such as `stable`");
            Err(Failure::new(format!("{}: {text}", place.name_of(tag))))
        }
        _ => Ok(()),
    }
}

impl Arguments {
    /// Reads all files. No request is sent before all of them are in order.
    fn plan(&self) -> Result<(Vec<App>, Plan), Failure> {
        let images = self.images.iter().map(|path| App::read(path, app::read(path)?));
        let apps: Vec<App> = images.collect::<Result<_, _>>()?;
        agree(&apps, self.unsigned)?;
        let identity = &apps[0].identity;
        let source = self.wasm.as_ref().map(|path| Source::read(path, identity, self.heap)).transpose()?;
        let facts: Vec<Facts> = self.facts.iter().map(|path| Facts::read(path, identity)).collect::<Result<_, _>>()?;
        let origin = Origin { source: self.source.clone(), revision: self.revision.clone() };
        let bill = match &self.sbom {
            Some(path) => foreign_bill(path)?,
            None => bill::bill(&apps, source.as_ref()),
        };
        let said = Said { bill, provenance: provenance::statement(&apps, &facts, &origin) };
        let plan = Plan::new(&apps, source.as_ref(), &said, &origin)?;
        Ok((apps, plan))
    }
}

/// Publishes an app.
///
/// # Errors
/// The files are not in order, the registry fails, or the version has other content there.
pub async fn run(arguments: &Arguments, form: Form) -> Result<ExitCode, Failure> {
    let place = Place::parse(&arguments.reference)?;
    if place.digest.is_some() {
        let text = "the digest follows from the content; leave it out";
        return Err(Failure::new(format!("{}: {text}", arguments.reference)));
    }
    let (apps, plan) = arguments.plan()?;
    check_tag(&place, &plan.version)?;
    let remote = Remote::connect(place, &arguments.access, true).await?;
    let (sent, unchanged) = plan.publish(&remote, arguments.force).await?;
    let mut tags = vec![plan.version.clone(), plan.claim()];
    tags.extend(remote.place().tag.clone().filter(|tag| *tag != plan.version));
    let identity = apps[0].identity.clone();
    let report = Report {
        reference: remote.place().name_of(&plan.version),
        digest: plan.index.1.digest.clone(),
        tags,
        targets: apps.iter().flat_map(|app| &app.targets).map(|target| target_name(*target)).collect(),
        portable: apps.iter().any(|app| app.portable),
        name: identity.name,
        version: identity.version,
        rollback: identity.rollback,
        key: identity.key,
        sent,
        unchanged,
    };
    form.report(&report, Report::text);
    Ok(ExitCode::SUCCESS)
}

impl Report {
    fn text(&self) -> String {
        let mut forms = self.targets.clone();
        if self.portable {
            forms.insert(0, "portable IR".into());
        }
        let done = if self.unchanged { "was published before" } else { "published" };
        format!(
            "{}: {done}: {} {}, rollback counter {}, {}; {} bytes sent\n{}",
            self.reference,
            self.name,
            self.version,
            self.rollback,
            forms.join(", "),
            self.sent,
            self.digest
        )
    }
}
