"""`./run.sh submit`: another answer from the same predictions."""

import argparse
from pathlib import Path

from commands.options import at_least
from competition.utils.errors import InputError

HELP = "write a checked submission.csv from a run's predictions, blended and balanced as you like"
EXAMPLE = "./run.sh submit runs/ensemble-quick-virtual-small --blend geometric --balance exact"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=Path, metavar="RUN", help="folder of a run")
    parser.add_argument(
        "--blend", default="quadratic", metavar="KIND", help="arithmetic, quadratic (default) or geometric"
    )
    parser.add_argument("--balance", default="none", metavar="METHOD", help="none (default), greedy or exact")
    parser.add_argument(
        "--quota", type=at_least(1), metavar="N", help="images of each camera in each part; default: equal shares"
    )
    parser.add_argument("--check", type=Path, metavar="FILE", help="write nothing; check a submission made elsewhere")
    parser.add_argument("--out", type=Path, metavar="FILE", help="default: submission.csv in the run's folder")


def run(args: argparse.Namespace) -> None:
    from competition.utils.tables import text_table
    from submissions.run import open_run
    from submissions.submission_csv import check_submission, describe_quotas, read_expected_names
    from submissions.submit import submit_camera

    if args.quota is not None and args.balance == "none":
        raise InputError("--quota says how to balance: give it together with --balance greedy or exact")
    if args.check:
        opened = open_run(args.run)
        table = check_submission(args.check, opened.cameras, read_expected_names(opened.data))
        print(f"{args.check}: {len(table)} images, as the competition takes it")
        return
    path = args.out or args.run / "submission.csv"
    table = submit_camera(open_run(args.run), path, args.blend, args.balance, args.quota)
    print(text_table(describe_quotas(table["camera"], table["is_manipulated"]).to_dict("list")))
    print(f"\n{path}: {len(table)} images, checked; blend {args.blend}, balance {args.balance}")
