"""What a probe says of features is what is in them, and nothing of it was chosen on what is measured."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from PIL.ExifTags import IFD, Base

from competition.forgeries.datasets import DATA_SETS
from competition.manifest import COLUMNS, DTYPES
from competition.utils.atomic_files import write_json
from competition.utils.errors import InputError
from models.classifier import build
from models.presets.classifier import recipe
from models.training.fit import load_model
from submissions.exif_language import open_exif_language, train_exif_language
from submissions.probes.features import find_classifier, of_classifier, untrained
from submissions.probes.linear_probe import (
    MAJORITY,
    RANDOM,
    STRENGTHS,
    THIS,
    UNTRAINED,
    Probe,
    chance,
    linear,
    probe_run,
    score,
)
from submissions.probes.targets import Sample, photos_for, splices
from submissions.run import Run, start_run

SIDE = 24


def sample(labels: np.ndarray, measured: np.ndarray, **changes) -> Sample:
    names = np.array([f"{number}.jpg" for number in range(len(labels))])
    classes = tuple(f"class {label}" for label in np.unique(labels))
    made = Sample(Path(), names, classes, labels, measured, names, lambda pixels, number: pixels[None], ())
    return replace(made, **changes)


def noise(labels: np.ndarray, towards: float, seed: int = 0, patches: int = 1) -> np.ndarray:
    """Features (photographs, patches, 6) that tell a class by their mean."""
    made = np.random.default_rng(seed).normal(size=(len(labels), patches, 6))
    return made + towards * np.eye(6)[labels][:, None]


LABELS = np.arange(240) % 3
MEASURED = np.arange(240) >= 120


def test_what_is_separable_is_told_and_labels_without_sense_are_not():
    told = linear(noise(LABELS, 8, patches=2), sample(LABELS, MEASURED))
    assert told.right.mean() > 0.98 and told.right.shape == (120,)
    senseless = np.random.default_rng(1).permutation(LABELS)
    assert abs(linear(noise(LABELS, 8), sample(senseless, MEASURED)).right.mean() - 1 / 3) < 0.13


def test_what_is_measured_takes_no_part_in_the_choice():
    features, among = noise(LABELS, 1.0), sample(LABELS, MEASURED)
    other = np.where(MEASURED, np.random.default_rng(2).permutation(LABELS), LABELS)
    swapped = np.where(MEASURED[:, None, None], noise(LABELS, 5, seed=3), features)
    chosen = linear(features, among).c
    assert chosen == linear(features, replace(among, labels=other)).c == linear(swapped, among).c
    assert chosen != STRENGTHS[0]
    # Where the fitted labels make no sense, nothing is better than the strongest regularisation by much: C changes.
    fitted = np.where(MEASURED, LABELS, np.random.default_rng(4).permutation(LABELS))
    assert linear(noise(LABELS, 8), replace(among, labels=fitted)).c != chosen


def test_regularisation_is_chosen_on_groups_held_out():
    """One feature names the device without telling classes of others: only whole devices held out show that."""
    rng = np.random.default_rng(5)
    device = np.repeat(np.arange(12), 10)
    labels = np.repeat(np.arange(2), 60)
    features = np.concatenate([20 * np.eye(12)[device], labels[:, None] + rng.normal(size=(120, 1))], axis=1)
    of_device = sample(labels, np.zeros(120, bool), groups=device.astype(str))
    of_photographs = replace(of_device, groups=of_device.names)
    measured = np.append(np.zeros(120, bool), True)
    more = {"labels": np.append(labels, 0), "measured": measured}
    features = np.append(features, features[-1:], axis=0)[:, None]
    by_device, by_photograph = (
        linear(features, replace(one, **more, groups=np.append(one.groups, "new"))).c
        for one in (of_device, of_photographs)
    )
    assert by_device != by_photograph


def test_scores_are_paired_and_chance_is_chance():
    among = sample(LABELS, MEASURED)
    right = (np.random.default_rng(6).random(120) < 0.5).astype(float)
    worse = np.where(np.arange(120) < 12, 0, right)
    table = score({"a": Probe(right, 1.0), "b": Probe(right, 0.1), "c": Probe(worse, 1.0)} | chance(among), among)
    rows = table.set_index("entry")
    assert (rows.loc["b", ["ahead", "ahead_low", "ahead_high"]] == 0).all()
    paired = rows.loc["c", "ahead_high"] - rows.loc["c", "ahead_low"]
    assert 0 < paired < (rows.loc["a", "recall_high"] - rows.loc["a", "recall_low"])
    assert rows.loc["c", "ahead"] == pytest.approx(right[:12].sum() / 120)
    for entry in (MAJORITY, RANDOM):
        assert rows.loc[entry, ["recall", "recall_low", "recall_high"]].tolist() == pytest.approx([1 / 3] * 3)


def table(count: int = 12, **columns) -> pd.DataFrame:
    """A manifest of `count` photographs, of which every third validates."""
    made = pd.DataFrame({name: [None] * count for name in COLUMNS})
    made = made.assign(path=[f"{number:02}.jpg" for number in range(count)], width=60, height=50, **columns)
    made["split"] = np.where(np.arange(count) % 3 == 2, "validation", "train")
    return made.astype(DTYPES)


def test_photographs_without_a_label_take_no_part_and_are_counted():
    made = photos_for("iso", table(iso=[100.0, 900.0, 100.0, None] * 3), Path(), SIDE, 1, 0)
    assert made.classes == ("below ISO 215.4", "from ISO 464.2")
    assert made.names.tolist()[:4] == ["00.jpg", "01.jpg", "02.jpg", "04.jpg"] and len(made.names) == 9
    assert made.labels.tolist() == [0, 1, 0] * 3 and made.notes == ("3 of 12 photographs do not tell their iso",)
    assert made.measured.sum() == 3


def test_devices_stay_together_where_several_are_known():
    device = ["x", "y", "v"] * 2 + ["z"] * 6
    made = photos_for("camera", table(camera=["ant"] * 6 + ["bee"] * 6, device=device), Path(), SIDE, 1, 0)
    assert made.groups.tolist() == [*device[:6], *made.names[6:]]


def test_patches_are_the_centre_and_then_any_of_its_phase():
    pixels = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    made = photos_for(
        "camera",
        table(camera=["ant", "bee", "cat"] * 4).iloc[[0, 1, 3, 4, 6, 2]].assign(camera=["ant", "bee"] * 3),
        Path(),
        SIDE,
        3,
        0,
    )
    patches = made.cut(pixels, 1)
    np.testing.assert_array_equal(patches[0], pixels[18:42, 28:52])
    assert patches.shape == (3, SIDE, SIDE, 3) and (patches != made.cut(pixels, 2)).any()
    np.testing.assert_array_equal(patches, made.cut(pixels, 1))


def test_every_coefficient_of_distortion_comes_as_often():
    made = photos_for("radial-distortion", table(60), Path(), SIDE, 2, 0)
    assert made.classes == ("-0.2", "-0.1", "+0", "+0.1", "+0.2")
    assert np.bincount(made.labels[made.measured]).tolist() == [4] * 5
    pixels = np.random.default_rng(0).integers(0, 256, (100, 120, 3), dtype=np.uint8)
    none, some = (made.cut(pixels, int(np.argmax(made.labels == label))) for label in (2, 4))
    np.testing.assert_array_equal(none[0], pixels[10:34, 12:36])
    assert (none != some).any(axis=(1, 2, 3)).all()


@pytest.mark.parametrize(
    "target, columns, message",
    [
        (
            "lens",
            {},
            "unknown target 'lens'; known: camera, make, aperture, iso, exposure_time, radial-distortion, auth",
        ),
        ("make", {"make": "ACME"}, r"1 class\(es\) of make \(ACME\); a probe needs 2"),
        ("make", {}, r"0 class\(es\) of make \(none\)"),
        ("camera", {"camera": ["a"] * 11 + ["b"]}, r"'b' has 0 training photograph\(s\), expected at least 2"),
        ("iso", {"iso": [100.0, 900.0, None] * 4}, "no photograph is left to measure iso"),
        ("radial-distortion", {}, "has 4 corners"),
    ],
)
def test_what_cannot_be_probed_is_refused(target, columns, message):
    with pytest.raises(InputError, match=message):
        photos_for(target, table(**columns), Path(), SIDE, 5, 0)


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> Path:
    """Sixteen photographs by two cameras of two devices each; one camera's are noise and the other's plain."""
    folder = tmp_path_factory.mktemp("data") / "photos"
    for index, camera in enumerate(("ant", "bee")):
        (folder / "train" / camera).mkdir(parents=True)
        for number in range(8):
            exif = Image.Exif()
            exif.update({Base.Make: camera, Base.Model: f"M-{camera}", Base.Orientation: 1, Base.Software: "1.0"})
            exif.update({Base.XResolution: 72.5, Base.YResolution: 72.5, Base.ResolutionUnit: 2})
            inner = {Base.FNumber: 2.8, Base.ISOSpeedRatings: 100, Base.ExposureTime: 0.02, Base.FocalLength: 35.0}
            inner |= {Base.Flash: 0, Base.MeteringMode: 2, Base.BodySerialNumber: f"{camera}-{number % 2}"}
            exif[IFD.Exif] = inner
            rough = np.random.default_rng((index, number)).integers(0, 256, (40, 48, 3), dtype=np.uint8)
            pixels = rough if camera == "ant" else np.full_like(rough, 20 * number)
            Image.fromarray(pixels).save(folder / "train" / camera / f"{number}.jpg", exif=exif, quality=95)
    return folder


@pytest.fixture(scope="module")
def run(photos, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "one"
    train_exif_language(folder, photos, "smoke", patch=SIDE, batch=4, epochs=1, patches_per_photo=1)
    return open_exif_language(folder)


def test_a_run_is_probed_and_says_what_there_was_not(run):
    made = probe_run(run, "camera", patches=2).set_index("entry")
    assert made.index.tolist() == [THIS, UNTRAINED, MAJORITY, RANDOM]
    assert made.loc[THIS, "recall"] >= 0.9 and made.loc[RANDOM, "recall"] == 0.5
    assert (made["photographs"] == 8).all() and "no finished camera classifier" in made["note"].iloc[0]
    written = pd.read_csv(run.folder / "probe-camera.csv")
    np.testing.assert_allclose(written["recall"], made["recall"])
    page = (run.folder / "probe-camera.md").read_text()
    assert f"| {UNTRAINED} |" in page and "fitted on 8 photographs, measured on 8, 2 patch(es) of 24" in page


def test_the_untrained_network_is_the_same_one_with_other_weights(run):
    patches = np.random.default_rng(0).integers(0, 256, (2, SIDE, SIDE, 3), dtype=np.uint8)
    first, again = untrained(run)(patches), untrained(run)(patches)
    learnt = load_model(run.image).predict_on_batch(patches)
    np.testing.assert_array_equal(first, again)
    assert first.shape == learnt.shape and not np.allclose(first, learnt, atol=1e-3)


def test_a_camera_classifier_beside_the_run_is_compared_with(run, photos):
    settings = recipe("smoke", "stem", patch=SIDE, batch=4)
    classifier = Run(run.folder.parent / "cameras", photos.resolve(), {"stem": settings}, seed=1)
    start_run(classifier, 1)
    assert find_classifier(run, None) is None
    with pytest.raises(InputError, match="no finished member that tells cameras from patches of 24"):
        find_classifier(run, classifier.folder)
    network = build("stem", settings, {"camera": 2})
    classifier.member("stem").mkdir(parents=True)
    network.save(classifier.member("stem") / "model.keras")
    assert find_classifier(run, None) == (classifier, "stem")
    made = probe_run(run, "make").set_index("entry")
    assert "features of stem (cameras)" in made.index


@pytest.mark.parametrize("member, width", [("stem", 128), ("mobilenet", 128 + 256)])
def test_features_of_a_classifier_are_what_its_logits_see(member, width, tmp_path, tiny_mobilenet):
    network = build(member, recipe("smoke", member, patch=64), {"camera": 2})
    run = Run(tmp_path, tmp_path, {}, 0)
    run.member(member).mkdir(parents=True)
    network.save(run.member(member) / "model.keras")
    patches = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), dtype=np.uint8)
    assert of_classifier(run, member)(patches).shape == (3, width)


def test_authentic_images_are_told_from_tampered_ones(run, tmp_path, monkeypatch):
    folders = {"Au": 10, "Tp/Sp": 10, "CASIA 1.0 groundtruth/Sp": 10}
    monkeypatch.setitem(DATA_SETS, "casia1", replace(DATA_SETS["casia1"], authentic=10))
    for folder, count in folders.items():
        (tmp_path / folder).mkdir(parents=True)
        for number in range(count):
            image = np.full((40, 48, 3), 10 * number, np.uint8)
            if folder == "Tp/Sp":
                image[::2] = 255
            if folder.endswith("groundtruth/Sp"):
                image[:] = 0
                image[:10] = 255
            name = f"{number}_gt.png" if folder.endswith("groundtruth/Sp") else f"{number}.png"
            Image.fromarray(image).save(tmp_path / folder / name)
    made = splices("casia1", tmp_path, SIDE, 1, 0)
    assert made.classes == ("authentic", "tampered") and made.measured.sum() == 6
    table = probe_run(run, "authentic", root=tmp_path).set_index("entry")
    assert table.loc[THIS, "recall"] > 0.8 and table.loc[THIS, "photographs"] == 6
    for words in ({"target": "camera", "root": tmp_path}, {"target": "authentic"}):
        with pytest.raises(InputError, match="--root is the folder of a data set of splices"):
            probe_run(run, **words)


def test_runs_that_cannot_be_probed_are_refused(run, tmp_path):
    with pytest.raises(InputError, match="unknown run"):
        open_exif_language(tmp_path / "none")
    config = {"kind": "exif-language", "data": "photos", "seed": 0, "recipe": {}}
    for change, message in (({"kind": "cameras"}, "none of exif-language"), ({}, "damaged")):
        write_json(config | change, tmp_path / "config.json")
        with pytest.raises(InputError, match=message):
            open_exif_language(tmp_path)
    (tmp_path / "config.json").write_bytes((run.folder / "config.json").read_bytes())
    with pytest.raises(InputError, match=r"not finished: it has no image\.keras"):
        open_exif_language(tmp_path)
    with pytest.raises(InputError, match="say where with --data"):
        probe_run(run, "camera", data=tmp_path / "gone")
