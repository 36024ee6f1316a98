// SPDX-License-Identifier: Apache-2.0
//! The documents with their right values, and what is refused without a registry.

use std::path::Path;

use serde_json::{json, Value};
use wisp_aotc::Machine;

use super::app::{native_platform, App, Identity};
use super::blob::{digest, is_digest};
use super::choice::{choose, Wanted};
use super::documents::{media, Artifact, Descriptor, Index, Notes};
use super::place::Place;
use super::provenance::{statement, Origin};
use super::publish::{agree, check_tag, Plan, Said};
use super::pull::{compare, file, write};
use super::remote::{Content, Document};
use super::source::{tools, Source, Tool};
use super::{bill, blob};

fn app(name: &str, content: &[u8], portable: bool, targets: &[&str]) -> App {
    App {
        path: Path::new("dist").join(name),
        bytes: content.into(),
        identity: Identity {
            name: "lamp".into(),
            version: "1.2.0".into(),
            rollback: 3,
            wasm: "ab".repeat(32),
            key: Some("c08a93c0b76f0111".into()),
        },
        portable,
        targets: targets.iter().map(|name| Machine::named(name).unwrap().target).collect(),
    }
}

fn plan(apps: &[App], source: Option<&Source>) -> Plan {
    let said = Said { bill: json!({ "bill": 1 }), provenance: json!({ "statement": 1 }) };
    Plan::new(apps, source, &said, &Origin::default()).unwrap()
}

fn index(plan: &Plan) -> Value {
    serde_json::from_slice(&plan.index.0).unwrap()
}

#[test]
fn digests_are_those_of_the_standards() {
    assert_eq!(digest(b""), "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    // the empty configuration of OCI
    assert_eq!(digest(b"{}"), "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
    assert!(is_digest(&digest(b"")));
    for wrong in ["", "sha256:", "sha256:00", "sha512:00", "sha256:../../../etc/passwd", &digest(b"").to_uppercase()] {
        assert!(!is_digest(wrong), "{wrong}");
    }
}

#[test]
fn a_reference_has_registry_name_and_perhaps_tag_and_digest() {
    let d = digest(b"");
    for (text, registry, repository, tag, is_pinned, local) in [
        ("localhost:5000/lamp", "localhost:5000", "lamp", None, false, true),
        ("localhost/apps/lamp:1.0.0", "localhost", "apps/lamp", Some("1.0.0"), false, true),
        ("oci://127.0.0.2:80/lamp:a", "127.0.0.2:80", "lamp", Some("a"), false, true),
        ("example.org/a/b/c:stable", "example.org", "a/b/c", Some("stable"), false, false),
        ("localhost.example.org:443/lamp", "localhost.example.org:443", "lamp", None, false, false),
        (&format!("example.org/lamp@{d}"), "example.org", "lamp", None, true, false),
        (&format!("example.org:1/lamp:x@{d}"), "example.org:1", "lamp", Some("x"), true, false),
    ] {
        let place = Place::parse(text).unwrap();
        assert_eq!((place.registry.as_str(), place.repository.as_str()), (registry, repository), "{text}");
        assert_eq!((place.tag.as_deref(), place.is_local()), (tag, local), "{text}");
        assert_eq!(place.digest, is_pinned.then(|| d.clone()), "{text}");
    }
}

#[test]
fn text_that_is_no_reference_is_refused_with_the_reason() {
    for (text, why) in [
        ("lamp", "it names no registry"),
        ("apps/lamp:1.0.0", "`apps` is no registry, because it has neither a dot nor a port"),
        ("https://example.org/lamp", "it is the address of something else"),
        ("example.org/Lamp", "invalid reference format"),
        ("example.org/", "invalid reference format"),
        ("example.org/lamp:", "invalid reference format"),
        ("example.org/../lamp", "invalid reference format"),
    ] {
        let said = Place::parse(text).unwrap_err().to_string();
        assert!(said.starts_with(&format!("`{text}` is no reference: {why}")), "{said}");
        assert!(said
            .ends_with("expected REGISTRY/NAME with :TAG or @sha256:DIGEST, such as localhost:5000/apps/lamp:1.0.0"));
    }
}

#[test]
fn an_index_has_a_manifest_for_each_form() {
    let apps = [
        app("lamp.wisp", b"portable", true, &[]),
        app("m33.wisp", b"for Cortex-M33", true, &["cortex-m33", "rv32imac"]),
    ];
    let index = index(&plan(&apps, None));
    assert_eq!(index["mediaType"], media::INDEX);
    assert_eq!(index["artifactType"], "application/vnd.wisp.app.v1");
    assert_eq!(
        index["annotations"],
        json!({
            "org.opencontainers.image.version": "1.2.0", "wisp.app.name": "lamp", "wisp.app.rollback": "3",
            "wisp.app.key": "c08a93c0b76f0111", "wisp.app.wasm-sha256": "ab".repeat(32),
        })
    );
    let platforms: Vec<&Value> =
        index["manifests"].as_array().unwrap().iter().map(|entry| &entry["platform"]).collect();
    assert_eq!(
        platforms,
        [
            &json!({ "architecture": "wasm", "os": "wisp", "os.version": "ir-4" }),
            &json!({ "architecture": "arm", "os": "wisp", "os.version": "native-3", "variant": "cortex-m33" }),
            &json!({ "architecture": "riscv", "os": "wisp", "os.version": "native-3", "variant": "rv32imac" }),
        ]
    );
}

#[test]
fn a_manifest_names_configuration_and_image_by_their_digests() {
    let plan = plan(&[app("lamp.wisp", b"portable", true, &[])], None);
    let (bytes, descriptor, blobs) = &plan.artifacts[0];
    assert_eq!((descriptor.digest.as_str(), descriptor.size), (digest(bytes).as_str(), bytes.len() as u64));
    let manifest: Value = serde_json::from_slice(bytes).unwrap();
    let layer = digest(b"portable");
    let config = json!({
        "created": "1970-01-01T00:00:00Z", "architecture": "wasm", "os": "wisp", "layerDigests": [layer],
    });
    assert_eq!(serde_json::from_slice::<Value>(&blobs[0].bytes).unwrap(), config);
    assert_eq!(manifest["config"]["mediaType"], "application/vnd.wasm.config.v0+json");
    assert_eq!(manifest["config"]["digest"], digest(&blobs[0].bytes));
    assert_eq!(
        manifest["layers"],
        json!([{
            "mediaType": "application/vnd.wisp.image.v1", "digest": layer, "size": 8,
            "annotations": { "org.opencontainers.image.title": "lamp.wisp" },
        }])
    );
}

#[test]
fn attachments_name_the_index_as_their_subject() {
    let plan = plan(&[app("lamp.wisp", b"portable", true, &[])], None);
    let types = plan.attachments.iter().map(|attachment| {
        assert_eq!(attachment.manifest.subject.as_ref(), Some(&plan.index.1));
        assert_eq!(attachment.manifest.config.digest, digest(b"{}"));
        attachment.manifest.artifact_type.clone().unwrap()
    });
    assert_eq!(types.collect::<Vec<_>>(), ["application/vnd.cyclonedx+json", "application/vnd.in-toto+json"]);
    assert_eq!(plan.claim(), format!("1.2.0-sha256.{}", digest(&plan.index.0).trim_start_matches("sha256:")));
}

#[test]
fn two_images_for_one_machine_are_refused() {
    let apps = [app("a.wisp", b"a", false, &["cortex-m3"]), app("b.wisp", b"b", false, &["cortex-m3"])];
    let said = Said { bill: json!({}), provenance: json!({}) };
    assert_eq!(
        Plan::new(&apps, None, &said, &Origin::default()).unwrap_err().to_string(),
        "dist/b.wisp: has native code for cortex-m3, as dist/a.wisp has; publish one of them"
    );
}

#[test]
fn images_that_do_not_belong_together_are_refused() {
    let one = app("a.wisp", b"a", true, &[]);
    let other = |change: fn(&mut Identity)| {
        let mut other = app("b.wisp", b"b", true, &[]);
        change(&mut other.identity);
        agree(&[one.clone(), other], false).unwrap_err().to_string()
    };
    let module = "ab".repeat(32);
    assert_eq!(
        other(|identity| identity.version = "1.3.0".into()),
        format!(
            "dist/b.wisp: lamp 1.3.0 with rollback counter 3, of the module {module} is not what dist/a.wisp is: lamp 1.2.0 \
             with rollback counter 3, of the module {module}; publish one version of one app at a time"
        )
    );
    assert!(other(|identity| identity.rollback = 4).contains("rollback counter 4"));
    assert!(other(|identity| identity.wasm = "cd".into()).contains("module cd is not"));
    assert_eq!(
        other(|identity| identity.key = Some("00".into())),
        "dist/b.wisp: another key signed than that of dist/a.wisp; sign all images with one key"
    );
    assert_eq!(
        other(|identity| identity.key = None),
        "dist/b.wisp: the image is not signed, and devices refuse it; run `wisp sign`, or give --unsigned"
    );
}

#[test]
fn a_tag_that_looks_like_another_version_is_refused() {
    let check = |tag: &str| check_tag(&Place::parse(&format!("localhost:1/lamp:{tag}")).unwrap(), "1.2.0");
    for good in ["1.2.0", "stable", "v2", "2026.11"] {
        assert_eq!(check(good), Ok(()), "{good}");
    }
    assert_eq!(
        check("1.3.0").unwrap_err().to_string(),
        "localhost:1/lamp:1.3.0: the images are of version 1.2.0; leave the tag out, or give a name such as `stable`"
    );
    assert!(check("1.2.0-sha256.00").is_err());
    assert!(check("sha256-00").is_err());
}

#[test]
fn the_best_form_is_chosen() {
    let apps = [app("a.wisp", b"a", true, &[]), app("b.wisp", b"b", false, &["cortex-m3", "cortex-m33"])];
    let list: Index = serde_json::from_value(index(&plan(&apps, None))).unwrap();
    let variant = |wanted| choose(&list, wanted).map(|found| found.platform.clone().unwrap().variant);
    assert_eq!(variant(Wanted::Portable), Ok(None));
    assert_eq!(variant(Wanted::Native("cortex-m33")), Ok(Some("cortex-m33".into())));
    // an M4 runs what was made for an M3
    assert_eq!(variant(Wanted::Native("cortex-m4")), Ok(Some("cortex-m3".into())));
    // it has no instructions of the M3
    assert_eq!(
        variant(Wanted::Native("cortex-m0plus")),
        Err("there is no native code that cortex-m0plus runs, but cortex-m3, cortex-m33, portable IR; leave --target out \
             for IR, or publish an image for it"
            .into())
    );
    assert_eq!(
        variant(Wanted::Source),
        Err("there is no WebAssembly module, but cortex-m3, cortex-m33, portable IR; publish it with --wasm".into())
    );
}

#[test]
fn an_image_that_a_registry_passes_off_is_refused() {
    let app = app("a.wisp", b"a", true, &[]);
    let place = |tag: &str| Place::parse(&format!("localhost:1/lamp:{tag}")).unwrap();
    let notes = app.identity.notes();
    assert_eq!(compare(&place("1.2.0"), &notes, &app), Ok(()));
    assert_eq!(compare(&place("stable"), &Notes::new(), &app), Ok(()));
    assert_eq!(
        compare(&place("1.3.0"), &notes, &app).unwrap_err(),
        "the tag is 1.3.0, but the image is of version 1.2.0; do not use it before that is explained"
    );
    let mut lie = notes;
    lie.insert("org.opencontainers.image.version".into(), "1.3.0\u{1b}[2J".into());
    assert_eq!(
        compare(&place("stable"), &lie, &app).unwrap_err(),
        "the registry passes off an image as what it is not: org.opencontainers.image.version is 1.2.0 in the image, and \
         1.3.0[2J in the registry; do not use it"
    );
}

#[test]
fn only_an_artifact_with_one_image_has_one() {
    let image = |media_type| {
        let file = blob::Blob { media_type, bytes: b"x".to_vec() };
        Artifact::wasm("wisp", None, "x", file, Notes::new()).manifest
    };
    assert_eq!(file(&image(media::IMAGE), media::IMAGE).unwrap().digest, digest(b"x"));
    assert_eq!(
        file(&image(media::WASM), media::IMAGE).unwrap_err(),
        "this is a WebAssembly module, not an image; get it with --wasm from an index, and build it"
    );
    let mut two = image(media::IMAGE);
    two.layers.push(Descriptor::of("text/plain", b""));
    assert_eq!(
        file(&two, media::IMAGE).unwrap_err(),
        "this artifact has the files [application/vnd.wisp.image.v1, text/plain], expected one of the type \
         application/vnd.wisp.image.v1; is this an app of Wisp?"
    );
}

#[test]
fn other_documents_than_those_of_oci_are_told() {
    let content = |bytes: &[u8], media_type: &str| {
        Document { digest: digest(bytes), media_type: media_type.into(), bytes: bytes.into() }.content()
    };
    let docker = "application/vnd.docker.distribution.manifest.v2+json";
    assert_eq!(
        content(b"{}", docker).unwrap_err(),
        format!(
            "there is a document of the type `{docker}`, expected an index or a manifest of OCI; give the name of an app that \
             `wisp publish` wrote"
        )
    );
    assert!(content(b"<html>", "text/html").unwrap_err().starts_with("the registry's manifest is damaged: "));
    assert!(content(br#"{"schemaVersion":2}"#, media::INDEX).unwrap_err().contains("missing field `manifests`"));
    // the type that the document states counts, as the digest covers it
    let index = br#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;
    assert!(matches!(content(index, docker), Ok(Content::Index(_))));
}

/// A module with a producers section: language Rust 2021, processed-by rustc 1.95.0.
const PRODUCED: &[u8] =
    b"\0asm\x01\0\0\0\0\x3a\x09producers\x02\x08language\x01\x04Rust\x042021\x0cprocessed-by\x01\x05rustc\x061.95.0";

#[test]
fn the_tools_of_a_module_are_in_its_bill() {
    let tool = |field: &str, name: &str, version: &str| Tool {
        field: field.into(),
        name: name.into(),
        version: version.into(),
    };
    let named = vec![tool("language", "Rust", "2021"), tool("processed-by", "rustc", "1.95.0")];
    assert_eq!(tools(PRODUCED), named);
    assert_eq!(tools(&PRODUCED[..40]), []);
    let source = Source { title: "lamp.wasm".into(), bytes: PRODUCED.into(), component: false, tools: named };
    let bill = bill::bill(&[app("lamp.wisp", b"portable", true, &[])], Some(&source));
    assert_eq!((&bill["bomFormat"], &bill["specVersion"]), (&json!("CycloneDX"), &json!("1.5")));
    assert_eq!(bill["metadata"]["component"]["name"], "lamp");
    let names: Vec<_> =
        bill["components"].as_array().unwrap().iter().map(|part| part["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["lamp.wasm", "lamp.wisp", "Rust", "rustc"]);
    assert_eq!(bill["components"][1]["hashes"][0]["content"], blob::sha256(b"portable"));
    let serial = bill["serialNumber"].as_str().unwrap();
    assert_eq!((serial.len(), &serial[..9], &serial[23..24]), (45, "urn:uuid:", "8"));
}

/// A program and a library that it calls, each with a memory, whose linker says where the heap begins.
const COMPOSED: &str = r#"(component
  (component $lib
    (core module $m (memory 1) (global (export "__heap_base") i32 (i32.const 64)) (func (export "f")))
    (core instance $c (instantiate $m))
    (func $f (canon lift (core func $c "f")))
    (instance $x (export "f" (func $f)))
    (export "acme:lib/f" (instance $x)))
  (component $program
    (import "acme:lib/f" (instance $f (export "f" (func))))
    (core func $f (canon lower (func $f "f")))
    (core instance $i (export "f" (func $f)))
    (core module $m (import "i" "f" (func $f)) (memory 1) (global (export "__heap_base") i32 (i32.const 64))
      (func (export "run") (result i32) (call $f) (i32.const 0)))
    (core instance $c (instantiate $m (with "i" (instance $i))))
    (func $run (result (result)) (canon lift (core func $c "run")))
    (instance $r (export "run" (func $run)))
    (export "wasi:cli/run@0.2.0" (instance $r)))
  (instance $l (instantiate $lib))
  (instance $p (instantiate $program (with "acme:lib/f" (instance $l "acme:lib/f"))))
  (alias export $p "wasi:cli/run@0.2.0" (instance $run))
  (export "wasi:cli/run@0.2.0" (instance $run)))"#;

#[test]
fn a_composed_component_is_that_of_the_images_with_their_heap_only() {
    let bytes = wat::parse_str(COMPOSED).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.wasm");
    std::fs::write(&path, &bytes).unwrap();
    let mut identity = app("a.wisp", b"a", true, &[]).identity;
    identity.wasm = blob::sha256(&wisp_component::lower(&bytes, 4096).unwrap());
    assert!(Source::read(&path, &identity, 4096).is_ok_and(|source| source.component));
    let other = Source::read(&path, &identity, 0).map(|_| ()).unwrap_err().to_string();
    assert!(other.contains("the images were made from another module") && other.contains("its --heap"), "{other}");
}

#[test]
fn the_provenance_names_images_module_and_sources() {
    let origin = Origin { source: Some("https://example.org/lamp".into()), revision: Some("0123abcd".into()) };
    let made = statement(&[app("lamp.wisp", b"portable", true, &[])], &[], &origin);
    assert_eq!(made["_type"], "https://in-toto.io/Statement/v1");
    assert_eq!(made["predicateType"], "https://slsa.dev/provenance/v1");
    assert_eq!(made["subject"], json!([{ "name": "lamp.wisp", "digest": { "sha256": blob::sha256(b"portable") } }]));
    assert_eq!(
        made["predicate"]["buildDefinition"]["resolvedDependencies"],
        json!([
            { "name": "module", "mediaType": "application/wasm", "digest": { "sha256": "ab".repeat(32) } },
            { "name": "source", "uri": "https://example.org/lamp", "digest": { "gitCommit": "0123abcd" } },
        ])
    );
}

#[test]
fn a_machine_without_a_name_is_named_by_its_bits() {
    let mut target = Machine::named("cortex-m3").unwrap().target;
    target.float = wisp_image::native::float::HARD_DOUBLE;
    assert_eq!(native_platform(target).variant, Some(format!("native-{:04x}", target.section())));
}

#[test]
fn a_file_is_replaced_whole_and_with_the_usual_rights() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lamp.wisp");
    write(&path, b"old").unwrap();
    write(&path, b"new").unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"new");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    let said = write(&folder.path().join("none/lamp.wisp"), b"").unwrap_err().to_string();
    assert!(said.contains("none/lamp.wisp: cannot be written: "), "{said}");
}
