"""The ordered procedures: judge a model, finish a run, judge stored evidence again."""
