"""The option `--config` of `train`: options in a YAML file, or the config.json of a run.

A YAML file holds the options of the command line by their names without dashes, and the positional argument as
`train`:

    train: ensemble
    data: ../photos
    preset: quick
    members: [resnet50, mobilenet]
    learning-rate: 0.001

JSON is a subset of YAML, so both are read by the same parser. Options of the command line win. Tested by
tests/commands/test_config_file.py.
"""

from pathlib import Path
from typing import Any

from commands.parser import Parser
from competition.utils.errors import InputError, unknown_name

POSITIONAL = "train"


def read_config_file(path: Path) -> dict[str, Any]:
    """Read a YAML or JSON file that holds a mapping. Raises `InputError` for another file."""
    import yaml

    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, IsADirectoryError):
        raise InputError(f"the file {path} does not exist; expected options in YAML, or config.json of a run") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path} is not valid YAML ({reason}); expected lines such as `preset: quick`") from None
    if not isinstance(values, dict):
        raise InputError(f"{path} holds no options; expected lines such as `preset: quick`")
    return values


def is_run(values: dict[str, Any]) -> bool:
    """Return whether the values are the config.json of a run."""
    return "format_version" in values


def set_defaults(parser: Parser, values: dict[str, Any], path: Path) -> None:
    """Make the options of a YAML file the defaults of the parser of `train`.

    They are converted and checked as on the command line. Raises `InputError` for an unknown option.
    """
    words, names = [], {POSITIONAL: "what"}
    for key, value in values.items():
        option = f"--{str(key).replace('_', '-')}"
        if key != POSITIONAL and option not in parser.options:
            known = [name.removeprefix("--") for name in parser.options if name.startswith("--")]
            raise unknown_name(f"option in {path}", key, [POSITIONAL, *known])
        if key != POSITIONAL:
            names[key] = option.removeprefix("--").replace("-", "_")
        words += _words(option, value) if key != POSITIONAL else [str(value)]
    parser.source = str(path)
    parsed = vars(parser.parse_args(words))
    parser.source = ""
    parser.set_defaults(**{names[key]: parsed[names[key]] for key in values})


def _words(option: str, value: Any) -> list[str]:
    """The words of the command line that stand for an option and its value."""
    if value is None or value is False:
        return []
    if value is True:
        return [option]
    text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
    return [f"{option}={text}"]
