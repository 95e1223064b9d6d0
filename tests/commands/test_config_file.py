import json

import pytest

from commands.__main__ import make_parser
from commands.config_file import is_run, read_config_file, set_defaults
from competition.utils.errors import InputError


def parse(tmp_path, text, *words):
    """The arguments of `train` with a configuration file and other words."""
    path = tmp_path / "options.yaml"
    path.write_text(text)
    parser = make_parser()
    set_defaults(parser.commands["train"], read_config_file(path), path)
    return parser.parse_args(["train", *words])


def test_options_of_a_file_are_converted_and_lists_are_joined(tmp_path):
    text = "train: ensemble\ndata: photos\nmembers: [resnet50, mobilenet]\nlearning-rate: 0.001\n"
    args = parse(tmp_path, text + "label_balance: none\nphotos:\n")
    assert (args.what, str(args.data), args.members) == ("ensemble", "photos", ("resnet50", "mobilenet"))
    assert (args.learning_rate, args.label_balance, args.photos) == (0.001, "none", None)
    assert args.epochs is None


@pytest.mark.parametrize("words", [("--epochs", "3"), ("--epochs=3", "dctnet")])
def test_options_of_the_command_line_win(words, tmp_path):
    args = parse(tmp_path, "train: ensemble\nepochs: 2\nseed: 5\nquiet: true\n", *words)
    assert (args.epochs, args.seed, args.quiet) == (3, 5, True)
    assert args.what == ("dctnet" if "dctnet" in words else "ensemble")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("train: [unclosed", "is not valid YAML"),
        ("- quick\n", "holds no options; expected lines such as `preset: quick`"),
        ("train: ensemble\nepoch: 2\n", "unknown option in .*'epoch'; known: train, .*did you mean 'epochs'?"),
    ],
)
def test_files_without_options_are_rejected(text, message, tmp_path):
    with pytest.raises(InputError, match=message):
        parse(tmp_path, text)


def test_invalid_values_are_rejected_with_the_name_of_the_file(tmp_path, capsys):
    with pytest.raises(SystemExit):
        parse(tmp_path, "train: ensemble\nepochs: many\n")
    error = capsys.readouterr().err
    assert error.startswith(f"error: {tmp_path / 'options.yaml'}: argument --epochs: received 'many'")


def test_the_configuration_of_a_run_is_recognized(tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"format_version": 2, "seed": 0}))
    assert is_run(read_config_file(path))
    assert not is_run({"train": "ensemble"})
