// SPDX-License-Identifier: Apache-2.0
//! `wisp pull`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;
use wisp_trust::Role;

use crate::failure::Failure;
use crate::output::Form;
use crate::registry::app::{self, App, Trusted};
use crate::registry::blob;
use crate::registry::choice::{choose, Wanted};
use crate::registry::credentials::Access;
use crate::registry::documents::{media, note, Descriptor, Index, Manifest, Notes};
use crate::registry::place::Place;
use crate::registry::remote::{Content, Document, Remote};

/// Largest file that is downloaded, in bytes. Images for microcontrollers are far smaller.
const FILE_MAX: u64 = 64 << 20;

/// Get an image from an OCI registry, and check it as a device would
#[derive(Args)]
pub struct Arguments {
    /// REGISTRY/NAME:TAG or REGISTRY/NAME@sha256:DIGEST
    reference: String,
    /// Path of the image [default: the app's name and .wisp]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Get the image with native code for this machine [default: the image with IR, which runs everywhere]
    #[arg(long, value_name = "NAME")]
    target: Option<String>,
    /// A public app key that the device knows (may be given several times)
    #[arg(short, long, value_name = "FILE", required_unless_present_any = ["root_key", "unverified"])]
    key: Vec<PathBuf>,
    /// A public root key that the device knows (may be given several times)
    #[arg(long, value_name = "FILE")]
    root_key: Vec<PathBuf>,
    /// A public compile key that the device knows, for attached native code (may be given several times)
    #[arg(long, value_name = "FILE")]
    compile_key: Vec<PathBuf>,
    /// Do not check the signature
    #[arg(long, conflicts_with_all = ["key", "root_key", "compile_key"])]
    unverified: bool,
    /// Write the module that the image was made from to this file as well
    #[arg(long, value_name = "FILE")]
    wasm: Option<PathBuf>,
    /// Write the bill of materials to this file as well
    #[arg(long, value_name = "FILE")]
    sbom: Option<PathBuf>,
    /// Write the provenance to this file as well
    #[arg(long, value_name = "FILE")]
    provenance: Option<PathBuf>,
    #[command(flatten)]
    access: Access,
}

#[derive(Serialize)]
struct Report {
    reference: String,
    digest: String,
    image: String,
    bytes: usize,
    name: String,
    version: String,
    rollback: u32,
    target: Option<String>,
    key: Option<String>,
    root: bool,
    verified: bool,
}

/// The content that a reference led to.
struct Found {
    /// Digest of what the reference names.
    digest: String,
    /// The index, unless the reference names a manifest.
    index: Option<Index>,
    /// The manifest of the image.
    manifest: Manifest,
}

/// Writes a file so that nobody ever sees a part of it.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::in_file(path, format_args!("cannot be written: {error}"));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut options = tempfile::Builder::new();
    // as any other file; the process's mask takes away what it should
    #[cfg(unix)]
    options.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = options.tempfile_in(folder).map_err(|error| failed(&error))?;
    file.write_all(bytes).and_then(|()| file.as_file().sync_all()).map_err(|error| failed(&error))?;
    file.persist(path).map_err(|error| failed(&error.error))?;
    Ok(())
}

/// Gets the document of a digest that an index or a list names.
async fn named(remote: &Remote, descriptor: &Descriptor) -> Result<Manifest, Failure> {
    let what = remote.place().name_of(&descriptor.digest);
    let failed = |text: String| Failure::new(format!("{what}: {text}"));
    if !blob::is_digest(&descriptor.digest) {
        return Err(failed("the index names a manifest by no digest of the kind sha256; publish it again".into()));
    }
    let document = remote.document(&descriptor.digest).await?;
    let document = document.ok_or_else(|| failed("the registry has lost this manifest; publish it again".into()))?;
    match document.content().map_err(failed)? {
        Content::Manifest(manifest) => Ok(*manifest),
        Content::Index(_) => Err(failed("an index in an index, expected a manifest; publish it again".into())),
    }
}

impl Found {
    /// Follows a reference to the manifest of an image.
    async fn at(remote: &Remote, version: &str, wanted: Wanted<'_>) -> Result<Self, Failure> {
        let what = remote.place().name_of(version);
        let failed = |text: String| Failure::new(format!("{what}: {text}"));
        let Some(document) = remote.document(version).await? else { return Err(missing(remote, version).await) };
        let Document { digest, .. } = &document;
        match document.content().map_err(failed)? {
            Content::Index(index) => {
                let entry = choose(&index, wanted).map_err(failed)?;
                let manifest = named(remote, entry).await?;
                Ok(Self { digest: digest.clone(), manifest, index: Some(index) })
            }
            Content::Manifest(manifest) => Ok(Self { digest: digest.clone(), manifest: *manifest, index: None }),
        }
    }
}

impl Found {
    /// Gets the image and compares it with what the registry says of it.
    async fn app(&self, remote: &Remote, what: &str) -> Result<App, Failure> {
        let failed = |text: String| Failure::new(format!("{what}: {text}"));
        let layer = file(&self.manifest, media::IMAGE).map_err(failed)?;
        let app = App::read(Path::new(what), remote.blob(layer, FILE_MAX).await?)?;
        let index = self.index.as_ref().map(|index| &index.annotations);
        for notes in [Some(&self.manifest.annotations), index].into_iter().flatten() {
            compare(remote.place(), notes, &app).map_err(failed)?;
        }
        Ok(app)
    }
}

/// Says that there is no such thing, and what there is.
async fn missing(remote: &Remote, version: &str) -> Failure {
    let tags = remote.tags("").await.unwrap_or_default();
    let tags: Vec<_> = tags.into_iter().filter(|tag| !tag.contains("sha256")).take(20).collect();
    let there = match tags.is_empty() {
        true => "no app was published under this name".to_string(),
        false => format!("there are the tags {}", tags.join(", ")),
    };
    Failure::new(format!("{}: the registry has no such thing; {there}", remote.place().name_of(version)))
}

/// Returns the only file of an artifact.
pub fn file<'a>(manifest: &'a Manifest, media_type: &str) -> Result<&'a Descriptor, String> {
    match &manifest.layers[..] {
        [layer] if layer.media_type == media_type => Ok(layer),
        [layer] if layer.media_type == media::WASM => {
            Err("this is a WebAssembly module, not an image; get it with --wasm from an index, and build it".into())
        }
        layers => {
            let types: Vec<&str> = layers.iter().map(|layer| layer.media_type.as_str()).collect();
            let types: String = types.join(", ").chars().filter(|c| !c.is_control()).take(200).collect();
            Err(format!(
                "this artifact has the files [{types}], expected one of the type {media_type}; is this an app of Wisp?"
            ))
        }
    }
}

/// Compares what the registry says of an image with what the image says itself. Only the image is signed, so a registry
/// could pass an old one off as a new one.
pub fn compare(place: &Place, notes: &Notes, app: &App) -> Result<(), String> {
    let identity = &app.identity;
    for (key, found) in identity.notes() {
        match notes.get(&key) {
            Some(stated) if *stated != found => {
                let stated: String = stated.chars().filter(|c| !c.is_control()).take(80).collect();
                return Err(format!(
                    "the registry passes off an image as what it is not: {key} is {found} in the image, and {stated} in the \
                     registry; do not use it"
                ));
            }
            _ => {}
        }
    }
    let number = |tag: &str| tag.split('.').count() == 3 && tag.split('.').all(|part| part.parse::<u16>().is_ok());
    match place.tag.as_deref().filter(|tag| number(tag)) {
        Some(tag) if tag != identity.version => Err(format!(
            "the tag is {tag}, but the image is of version {}; do not use it before that is explained",
            identity.version
        )),
        _ => Ok(()),
    }
}

impl Arguments {
    /// Checks the signature, unless that is not wanted. Returns true if a root key signed.
    fn verify(&self, app: &App) -> Result<bool, Failure> {
        if self.unverified {
            return Ok(false);
        }
        let known = app::public_keys(&self.key, "app")?;
        let roots = app::public_keys(&self.root_key, "root")?;
        let compilers = app::public_keys(&self.compile_key, "compile")?;
        Ok(app.signer(&Trusted { known, roots, compilers })?.role == Role::Root)
    }

    /// Returns the path of the image.
    fn path(&self, app: &App) -> Result<PathBuf, Failure> {
        if let Some(path) = &self.output {
            return Ok(path.clone());
        }
        let name = &app.identity.name;
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if name.is_empty() || name.starts_with('.') || !name.chars().all(plain) {
            return Err(Failure::new(format!("the app's name `{name}` is no name of a file; give one with --output")));
        }
        Ok(format!("{name}.wisp").into())
    }

    /// Gets the other files that are wanted: path and bytes.
    async fn others(&self, remote: &Remote, found: &Found) -> Result<Vec<(PathBuf, Vec<u8>)>, Failure> {
        let mut files = Vec::new();
        let failed = |text: String| Failure::new(format!("{}: {text}", remote.place().name_of(&found.digest)));
        if let Some(path) = &self.wasm {
            let index = found.index.as_ref();
            let index = index.ok_or_else(|| failed("this is the manifest of an image; give the tag instead".into()))?;
            let manifest = named(remote, choose(index, Wanted::Source).map_err(failed)?).await?;
            let layer = file(&manifest, media::WASM).map_err(failed)?;
            files.push((path.clone(), remote.blob(layer, FILE_MAX).await?));
        }
        let about =
            [(&self.sbom, media::CYCLONEDX, "bill of materials"), (&self.provenance, media::IN_TOTO, "provenance")];
        for (path, media_type, name) in about {
            let Some(path) = path else { continue };
            let list = attached(remote, &found.digest).await?;
            let entry = list.iter().find(|entry| entry.artifact_type.as_deref() == Some(media_type));
            let entry = entry.ok_or_else(|| failed(format!("the registry has no {name} of it")))?;
            let manifest = named(remote, entry).await?;
            let layer = file(&manifest, media_type).map_err(failed)?;
            if manifest.subject.as_ref().map(|subject| &subject.digest) != Some(&found.digest) {
                return Err(failed(format!("the registry lists the {name} of something else; do not use it")));
            }
            files.push((path.clone(), remote.blob(layer, FILE_MAX).await?));
        }
        Ok(files)
    }
}

/// Lists what says something about a document.
async fn attached(remote: &Remote, digest: &str) -> Result<Vec<Descriptor>, Failure> {
    if let Some(list) = remote.referrers(digest).await? {
        return Ok(list.manifests);
    }
    match remote.document(&digest.replace(':', "-")).await?.map(|document| document.content()) {
        Some(Ok(Content::Index(list))) => Ok(list.manifests),
        _ => Ok(Vec::new()),
    }
}

/// Gets an image.
///
/// # Errors
/// There is none, the registry fails or lies, or a device would refuse the image. Then no file is written.
pub async fn run(arguments: &Arguments, form: Form) -> Result<ExitCode, Failure> {
    let place = Place::parse(&arguments.reference)?;
    let remote = Remote::connect(place, &arguments.access, false).await?;
    let place = remote.place();
    let Some(version) = place.version() else {
        return Err(Failure::new(format!("{}: say which version, as in {}:1.0.0", place.name(), place.name())));
    };
    let what = place.name_of(version);
    let wanted = arguments.target.as_deref().map_or(Wanted::Portable, Wanted::Native);
    let found = Found::at(&remote, version, wanted).await?;
    let app = found.app(&remote, &what).await?;
    let root = arguments.verify(&app)?;
    let path = arguments.path(&app)?;
    for (path, bytes) in arguments.others(&remote, &found).await? {
        write(&path, &bytes)?;
    }
    write(&path, &app.bytes)?;
    let target = found.manifest.annotations.get(note::TARGET).filter(|name| *name != "portable").cloned();
    let report = Report {
        reference: what.clone(),
        digest: found.digest,
        image: path.display().to_string(),
        bytes: app.bytes.len(),
        name: app.identity.name,
        version: app.identity.version,
        rollback: app.identity.rollback,
        key: app.identity.key,
        verified: !arguments.unverified,
        root,
        target,
    };
    form.report(&report, Report::text);
    Ok(ExitCode::SUCCESS)
}

impl Report {
    fn text(&self) -> String {
        let signer = match (&self.key, self.verified, self.root) {
            (Some(key), true, true) => format!("signed by root key {key}"),
            (Some(key), true, false) => format!("signed by key {key}"),
            (Some(key), false, _) => format!("signature of key {key} not checked"),
            (None, ..) => "not signed".into(),
        };
        format!(
            "{}: {} {}, rollback counter {}, {} bytes, {signer}\n{}",
            self.image, self.name, self.version, self.rollback, self.bytes, self.digest
        )
    }
}
