"""Train a good and a weak classifier_model and register both in MLflow.

The data are 569 breast tumours that scikit-learn ships: 30 measurements of the cell
nuclei each, and whether the tumour was malignant. 40 % of them are kept away from the
training, as data/validation.parquet.
"""

import logging
from pathlib import Path

import mlflow
import sklearn
from mlflow.models import infer_signature
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

NAME = "classifier_model"
VALIDATION = Path("data/validation.parquet")


def load():
    """The measurements and the label of every tumour: 1 is malignant, 0 benign."""
    bunch = load_breast_cancer(as_frame=True)
    return bunch.data, (bunch.target == 0).astype("int64").rename("label")


def classifier():
    """An untrained model."""
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))


def register(model, features, alias):
    """Log *model*, register it as the next version of NAME, point *alias* at it."""
    with mlflow.start_run(run_name=alias):
        logged = mlflow.sklearn.log_model(
            model,
            name="model",
            registered_model_name=NAME,
            signature=infer_signature(features, model.predict(features)),
            # Stated, because finding them out takes MLflow half a minute.
            pip_requirements=[f"scikit-learn=={sklearn.__version__}"],
        )
    version = logged.registered_model_version
    mlflow.MlflowClient().set_registered_model_alias(NAME, alias, str(version))
    print(f"registered version {version} of {NAME} as @{alias}")


def main():
    logging.disable(logging.INFO)  # MLflow's account of how it sets up its database
    mlflow.set_tracking_uri("sqlite:///mlflow.db")
    features, label = load()
    train, validation, label_train, label_validation = train_test_split(
        features, label, test_size=0.4, stratify=label, random_state=7
    )
    VALIDATION.parent.mkdir(exist_ok=True)
    validation.assign(label=label_validation).to_parquet(VALIDATION, index=False)
    print(f"wrote {len(validation)} labelled rows to {VALIDATION}")

    good = classifier().fit(train, label_train)
    register(good, train, "candidate")
    # The same model, allowed to see one measurement of the thirty.
    texture = train[["mean texture"]]
    weak = classifier().fit(texture, label_train)
    register(weak, texture, "weak")


if __name__ == "__main__":
    main()
